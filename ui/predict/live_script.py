"""The part of looking live that runs in the browser: it sends a picture once one was answered."""

from ui.pictures import camera_script

HTML = f'<div class="live">{camera_script.HTML}<p class="pace"></p></div>'

CSS = (
    camera_script.CSS
    + """
.live { font: 0.9rem/1.45 var(--st-font, sans-serif); color: var(--st-text-color);
  max-width: 420px; }
@media (max-width: 640px) { .screen { max-width: 240px; } }
.pace { margin: 0.5rem 0 0; min-height: 1.45em; opacity: 0.75;
  font-variant-numeric: tabular-nums; }
"""
)

JS = (
    camera_script.JS
    + r"""
const INVITING = 'Turn the camera on, hold something before it, and watch the answers move.';
const PATIENCE = 15000, USUAL = 0.2;

class Live {
  constructor(root) {
    this.root = root;
    this.number = 0;
    this.camera = new Camera(root.querySelector('.looking'), INVITING, () => this.changed());
  }

  changed() {
    clearTimeout(this.waiting);
    this.seconds = 0;
    this.tell('');
    if (this.camera.on) this.send();
  }

  send() {
    clearTimeout(this.waiting);
    if (document.hidden) {
      this.waiting = setTimeout(() => this.camera.on && this.send(), 1000);
      return;
    }
    this.number = Date.now();               // others than those of an earlier visit
    this.sent = performance.now();
    this.waiting = setTimeout(() => this.camera.on && this.send(), PATIENCE);
    this.looked([this.number, this.camera.picture()]);
  }

  answered(number, failed) {
    if (!this.camera.on || number !== this.number) return;
    if (failed) return this.camera.turnOff(
      'No network answered; what happened stands beside this. Turn the camera on to try again.');
    const took = (performance.now() - this.sent) / 1000;
    this.seconds = this.seconds ? this.seconds + USUAL * (took - this.seconds) : took;
    const rate = 1 / this.seconds;
    this.tell(`${rate.toFixed(rate < 10 ? 1 : 0)} pictures a second; none is kept`);
    this.send();
  }

  tell(text) { this.root.querySelector('.pace').textContent = text; }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.live');
  root.live ??= new Live(root);
  root.live.looked = (seen) => setTriggerValue('seen', seen);
  root.live.answered(data.answered, data.failed);
  return () => setTimeout(() => {           // also called before each new call: only what is gone
    if (root.isConnected) return;
    root.live?.camera.turnOff();
    root.live = null;
  }, 0);
}
"""
)
