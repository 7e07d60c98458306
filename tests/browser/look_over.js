// What is wrong with a page as it stands, in sentences; nothing where all is well.
async () => {
  const wrong = [];
  const HIDDEN = { visibilityProperty: true, opacityProperty: true, contentVisibilityAuto: true };
  const seen = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0 && element.checkVisibility(HIDDEN);
  };

  // Also within components, which Streamlit keeps apart from the page.
  function* all(selector, root = document) {
    for (const element of root.querySelectorAll('*')) {
      if (element.matches(selector)) yield element;
      if (element.shadowRoot) yield* all(selector, element.shadowRoot);
    }
  }
  const shown = (selector) => [...all(selector)].filter(seen);
  const parent = (element) => element.parentElement ?? element.getRootNode().host;
  const within = (element, selector) => {
    for (let place = element; place; place = parent(place)) if (place.matches(selector)) return place;
    return null;
  };
  const name = (element) => {
    const keyed = within(element, '[class*="st-key-"]');
    const key = keyed && [...keyed.classList].find((each) => each.startsWith('st-key-')).slice(7);
    const text = element.getAttribute('aria-label') || element.textContent.trim();
    return `${element.tagName.toLowerCase()} ${key ?? ''} "${text.slice(0, 50)}"`;
  };

  // --- Failures ---

  for (const box of shown('[data-testid=stException], [data-testid=stAlertContentError]')) {
    wrong.push(`a failure is shown: ${box.textContent.trim().slice(0, 120)}`);
  }

  // --- What is drawn ---

  const finite = (values) => values !== undefined && Array.from(values).some(Number.isFinite);
  const MARKS = '.trace path, .trace rect, .point path, .js-line, .heatmaplayer image';
  for (const plot of shown('.tl-plot')) {
    const points = (plot.data ?? []).some(({ x, y }) => finite(y) || finite(x));
    const marks = [...plot.querySelectorAll(MARKS)].some((mark) => mark.getBoundingClientRect().width > 0
      || mark.getBoundingClientRect().height > 0);
    if (!points || !marks) wrong.push(`nothing is drawn in ${name(plot)}`);
    const { width } = plot.querySelector('.main-svg')?.getBoundingClientRect() ?? { width: 0 };
    if (width > plot.clientWidth + 1) wrong.push(`the chart is wider than its place: ${name(plot)}`);
  }

  const pen = new OffscreenCanvas(64, 64).getContext('2d', { willReadFrequently: true });
  const colors = (canvas) => {
    if (!canvas.width || !canvas.height) return 0;
    pen.clearRect(0, 0, 64, 64);
    pen.drawImage(canvas, 0, 0, 64, 64);
    return new Set(new Uint32Array(pen.getImageData(0, 0, 64, 64).data.buffer)).size;
  };
  const drawings = new Map();                        // canvases that lie over each other, together
  for (const canvas of shown('canvas:not(.upper-canvas, .lower-canvas)')) {
    const place = within(canvas, '[data-testid=stElementContainer]') ?? canvas;
    drawings.set(place, Math.max(drawings.get(place) ?? 0, colors(canvas)));
  }
  for (const [place, count] of drawings) {
    if (count < 2) wrong.push(`nothing is drawn on the canvas of ${name(place)}`);
  }

  for (const image of shown('img')) {
    if (!image.naturalWidth) wrong.push(`a picture is empty: ${name(image)}`);
  }
  const sheets = (window.testedSheets ??= new Map());
  const readable = (address) => {
    const image = new Image();
    image.src = address;
    return image.decode().then(() => image.naturalWidth > 1, () => false);
  };
  for (const picture of shown('.picture, [role=img]')) {
    const address = getComputedStyle(picture).backgroundImage.match(/^url\("(.*)"\)$/)?.[1];
    if (!address) continue;
    if (!sheets.has(address)) sheets.set(address, await readable(address));
    if (!sheets.get(address)) wrong.push(`a picture cannot be read: ${name(picture)}`);
  }
  const UNSEEN = '.st-key-words, .st-key-shortcuts, .st-key-history, .st-key-saving, '
    + '.st-key-overview_links, [class*="_keys"]';
  for (const component of document.querySelectorAll('.stBidiComponent')) {
    const place = within(component, '[data-testid=stElementContainer]');
    const { width, height } = place.getBoundingClientRect();
    if (width > 1 && height < 8 && place.checkVisibility() && !place.querySelector('[hidden]')
        && !place.matches(UNSEEN)) wrong.push(`nothing is drawn in ${name(place)}`);
  }

  // --- Room ---

  for (const part of ['html', '[data-testid=stMain]']) {
    const element = document.querySelector(part);
    const wider = element.scrollWidth - element.clientWidth;
    if (wider > 0) wrong.push(`${part} is ${wider} pixels wider than the window`);
  }
  const main = document.querySelector('[data-testid=stMain]');
  const scrolls = (element) => {
    for (let place = parent(element); place && place !== main; place = parent(place)) {
      if (/auto|scroll/.test(getComputedStyle(place).overflowX)) return true;
    }
    return false;
  };
  const TEXTS = 'h1, h2, h3, h4, button, [data-testid=stMetricValue], [role=tab]';
  const texts = [...main.querySelectorAll(TEXTS)].filter((element) => seen(element)
    && element.textContent.trim() && getComputedStyle(element).position !== 'fixed');
  for (const text of texts) {
    const { left, right } = text.getBoundingClientRect();
    if ((left < -1 || right > innerWidth + 1) && !scrolls(text)) {
      wrong.push(`stands beyond the window: ${name(text)}`);
    }
    const cut = [text, ...text.querySelectorAll('*')].some((element) =>
      element.scrollWidth > element.clientWidth + 2 && element.clientWidth > 2
      && getComputedStyle(element).overflowX !== 'visible' && element.textContent.trim()
      && getComputedStyle(element).overflowX !== 'auto');
    if (cut) wrong.push(`is cut off: ${name(text)}`);
  }
  const boxes = texts.map((text) => [text, text.getBoundingClientRect()]);
  boxes.forEach(([text, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 3 && high > 3 && !text.contains(other) && !other.contains(text)) {
      wrong.push(`${name(text)} lies over ${name(other)}`);
    }
  }));
  return wrong;
}
