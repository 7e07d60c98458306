"""The camera of the browser, for the components that look through it; to stand before their own.

A component makes a `new Camera(root, inviting, changed)` in an element that holds HTML, asks
`camera.on` and takes what is seen with `camera.picture()`. inviting: what stands there while it is
off. changed: called when it was turned on or off.
"""

HTML = """
<div class="looking">
  <div class="screen"><video muted playsinline aria-label="What the camera sees"></video>
    <p class="off"></p></div>
  <div class="row"><button type="button" class="camera"></button>
    <button type="button" class="other" hidden>Switch camera</button></div>
</div>
"""

CSS = """
.screen { position: relative; aspect-ratio: 1; border-radius: 8px; overflow: hidden;
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color); }
video { width: 100%; height: 100%; object-fit: cover; display: block; }
.off { position: absolute; inset: 0; margin: 0; padding: 1rem; display: grid;
  place-content: center; text-align: center; }
.off:empty { display: none; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin-top: 0.6rem; }
button { font: inherit; color: inherit; border-radius: 6px; box-sizing: border-box;
  border: 1px solid var(--st-border-color); background: var(--st-background-color);
  cursor: pointer; padding: 0.35rem 0.75rem; user-select: none; }
button:hover:enabled { border-color: var(--st-primary-color); }
button:disabled { opacity: 0.5; cursor: default; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.camera.first { border-color: var(--st-primary-color); font-weight: 600;
  box-shadow: inset 0 0 0 1px var(--st-primary-color); }
"""

JS = r"""
const SIDE = 224, QUALITY = 0.85;
const NONE = 'No camera was found. Connect one, then turn it on again; or use picture files.';
const WHY_NOT = {
  NotAllowedError: 'The browser does not let this page use the camera. Allow it beside the ' +
    'page’s address, then turn the camera on again.',
  NotFoundError: NONE,
  OverconstrainedError: NONE,
  NotReadableError: 'The camera is in use. Close the other program, then turn it on again.',
};
const INSECURE = 'Browsers give a camera only to pages at localhost or over https. Open this ' +
  'server so, or use picture files.';
const BROKEN = 'The camera did not start. Turn it on again, or use picture files.';

// The middle of a picture as a square, as a data URL.
const squared = (source, width, height) => {
  const side = Math.min(width, height), canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE;
  canvas.getContext('2d').drawImage(
    source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  return canvas.toDataURL('image/jpeg', QUALITY);
};

class Camera {
  constructor(root, inviting, changed) {
    Object.assign(this, { root, inviting, changed });
    this.video = this.find('video');
    this.facing = 'user';
    this.find('.camera').onclick = () => this.stream ? this.turnOff() : this.turnOn();
    this.find('.other').onclick = () => {
      this.facing = this.facing === 'user' ? 'environment' : 'user';
      this.turnOn();
    };
    this.show(inviting);
  }

  find(selector) { return this.root.querySelector(selector); }
  get on() { return Boolean(this.stream); }
  picture() { return squared(this.video, this.video.videoWidth, this.video.videoHeight); }

  async turnOn() {
    this.turnOff('Starting the camera …');
    if (!navigator.mediaDevices?.getUserMedia) return this.turnOff(INSECURE);
    try {
      const stream = await navigator.mediaDevices.getUserMedia(
        { video: { facingMode: this.facing, width: { ideal: 640 }, height: { ideal: 480 } } });
      this.stream = this.video.srcObject = stream;
      stream.getTracks().forEach((track) => track.onended = () => this.turnOff());
      await this.video.play();
      const cameras = await navigator.mediaDevices.enumerateDevices();
      this.find('.other').hidden = cameras.filter((c) => c.kind === 'videoinput').length < 2;
    } catch (error) {
      return this.turnOff(WHY_NOT[error.name] ?? BROKEN);
    }
    if (!this.root.isConnected) return this.turnOff();
    this.show('');
    this.changed();
  }

  turnOff(text = this.inviting) {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.video.srcObject = null;
    this.show(text);
    this.changed();
  }

  show(text) {
    this.find('.off').textContent = text;
    this.find('.camera').textContent = this.on ? 'Turn the camera off' : 'Turn the camera on';
    this.find('.camera').classList.toggle('first', !this.on);
  }
}
"""
