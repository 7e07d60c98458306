"""Saving what is drawn, as PNG or SVG: two buttons in a drawing's corner, and what makes the files.

A component puts `JS` before its own script and `CSS` after its own style sheet. `JS` defines one
name, `Saving`:

- `Saving.buttons(host, name, picture)` puts the buttons into the top right corner of `host`, once;
  calling it again only exchanges the two functions. `host` stands `position: relative` through
  the class `tl-saved` that it gets. `name()` is the title that the file is called after;
  `picture()` gives the whole picture as a string of SVG, or a promise of one. The PNG is drawn
  from it, at twice its size.
- `Saving.framed(host, { title, hint, legend, width, height, body })` makes such a picture: `body`,
  SVG that is `width` by `height`, on the background of the theme under its title, its hint and its
  legend, a list of `[color, text]` or `[color, text, mark]`, a mark being SVG of 20 by 12 in place
  of a square of the colour. All but the last three may be left out.
- `Saving.traced(element)` makes such a `{ width, height, body }` of what the browser shows of an
  element: backgrounds, borders, text, SVG, canvases and pictures, but no pseudo-elements and no
  shadows. An element with a function `asSvg(width, height)` is drawn as the SVG that returns.
  `class="tl-unsaved"` leaves an element out. So the simplest use is

      Saving.buttons(root, () => data.title, () =>
        Saving.framed(root, { title: data.title, ...Saving.traced(rows) }));

- `Saving.files[ending](svg, host)` makes a file, as a promise of a blob, of such a picture, and
  `Saving.keep(bar, title, ending, make)` downloads what `make()` promises; where that fails, `bar`
  tells.
- `Saving.markup(text)` escapes text for SVG, `Saving.theme(host)(name)` reads a colour or the font
  of the theme, such as `text-color`.
"""

from ui.plots import tracing_script

CSS = """
.tl-saved { position: relative; }
.tl-saving { position: absolute; top: 0; right: 0; z-index: 2; display: flex; gap: 0.2rem;
             opacity: 0; }
.tl-saved:hover .tl-saving, .tl-saving:focus-within, .tl-saving:has(.tl-failed) { opacity: 1; }
.tl-saving button { all: unset; box-sizing: border-box; cursor: pointer; min-width: 2.4rem;
                    padding: 0.1rem 0.4rem; border-radius: 0.35rem; text-align: center;
                    font: 600 0.7rem/1.25rem var(--st-font, sans-serif);
                    color: var(--st-text-color); background: var(--st-background-color);
                    border: 1px solid var(--st-border-color); }
.tl-saving button:hover { background: var(--st-secondary-background-color); }
.tl-saving button:focus-visible { outline: 2px solid var(--st-primary-color); }
.tl-saving .tl-failed { font: 0.8rem/1.4 var(--st-font, sans-serif); padding: 0 0.4rem;
                        color: var(--st-text-color); background: var(--st-background-color); }
@media (hover: none) { .tl-saving { opacity: 1; } }
@media print { .tl-saving { display: none; } }
"""

JS = (
    tracing_script.JS
    + r"""
const Saving = (() => {
  const PADDING = 20, SHARPNESS = 2, LONGEST_SIDE = 8000;
  const TITLE = 16, HINT = 13, LEGEND = 12, ROW = 18;
  const SQUARE = 12, MARK = 20;

  const { markup, traced } = Tracing;
  const theme = (host) => {
    const style = getComputedStyle(host);
    return (name) => style.getPropertyValue(`--st-${name}`).trim();
  };

  const pen = document.createElement('canvas').getContext('2d');
  const widthOf = (text, font) => { pen.font = font; return pen.measureText(text).width; };

  const wrapped = (text, font, width) => text.split(' ').reduce((lines, word) => {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && widthOf(longer, font) <= width) return [...lines.slice(0, -1), longer];
    return [...lines, word];
  }, []).filter(Boolean);

  // Items of a legend in rows: where each begins, and which row it is in.
  const placed = (legend, font, width) => {
    let x = 0, row = 0;
    return legend.map(([, text, mark]) => {
      const wide = widthOf(text, font) + (mark ? MARK : SQUARE) + 24;
      if (x && x + wide > width) { x = 0; row += 1; }
      x += wide;
      return { x: PADDING + x - wide, row };
    });
  };

  const item = ([color, text, mark], { x, row }, top) => {
    const y = top + row * ROW + 1;
    const square = `<rect width="${SQUARE}" height="${SQUARE}" rx="2" fill="${markup(color)}"/>`;
    return `<g transform="translate(${x} ${y})">${mark ?? square}`
      + `<text x="${(mark ? MARK : SQUARE) + 6}" y="${SQUARE - 2}" font-size="${LEGEND}">`
      + `${markup(text)}</text></g>`;
  };

  const framed = (host, { title = '', hint = '', legend = [], width, height, body }) => {
    const look = theme(host);
    const font = look('font') || 'sans-serif';
    const parts = [];
    let y = PADDING;
    const write = (lines, size, weight, opacity) => lines.forEach((line) => {
      y += size * 1.35;
      parts.push(`<text x="${PADDING}" y="${y - size * 0.35}" font-size="${size}" `
        + `font-weight="${weight}" opacity="${opacity}">${markup(line)}</text>`);
    });
    write(wrapped(title, `600 ${TITLE}px ${font}`, width), TITLE, 600, 1);
    write(wrapped(hint, `${HINT}px ${font}`, width), HINT, 400, 0.75);
    if (legend.length) {
      const places = placed(legend, `${LEGEND}px ${font}`, width);
      parts.push(...legend.map((one, i) => item(one, places[i], y + 8)));
      y += 8 + ROW * (1 + places[places.length - 1].row);
    }
    if (parts.length) y += 10;
    const [wide, high] = [Math.ceil(width + 2 * PADDING), Math.ceil(y + height + PADDING)];
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" `
      + `width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}" `
      + `font-family="${markup(font)}" fill="${look('text-color')}">`
      + `<title>${markup(title)}</title>`
      + `<rect width="100%" height="100%" fill="${look('background-color')}"/>${parts.join('')}`
      + `<g transform="translate(${PADDING} ${y})">${body}</g></svg>`;
  };

  const dataUrl = (blob) => new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(blob);
  });

  // A picture sees no fonts of the page: those of the theme go into it.
  const faces = async (family) => {
    const found = [...document.styleSheets].flatMap((sheet) => {
      try { return [...sheet.cssRules].map((rule) => [rule, sheet.href ?? document.baseURI]); }
      catch { return []; }
    }).filter(([rule]) => rule instanceof CSSFontFaceRule
      && family.includes(rule.style.getPropertyValue('font-family').replace(/["']/g, ''))
      && rule.style.getPropertyValue('font-style') !== 'italic');
    return Promise.all(found.map(async ([rule, base]) => {
      const [, url] = rule.style.getPropertyValue('src').match(/url\(["']?([^"')]+)/) ?? [];
      if (!url) return '';
      const font = await dataUrl(await (await fetch(new URL(url, base))).blob());
      const kept = ['font-family', 'font-weight', 'unicode-range'].map((name) =>
        [name, rule.style.getPropertyValue(name)]).filter(([, value]) => value);
      return `@font-face{${kept.map(([name, value]) => `${name}:${value};`).join('')}`
        + `src:url(${font});}`;
    }));
  };
  const withFaces = async (svg, family) => {
    const rules = await faces(family).catch(() => []);
    return svg.replace(/<svg[^>]*>/, (start) => `${start}<style>${rules.join('')}</style>`);
  };

  const painted = (svg) => new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => {
      const [width, height] = [image.naturalWidth, image.naturalHeight];
      const scale = Math.min(SHARPNESS, LONGEST_SIDE / Math.max(width, height));
      const canvas = document.createElement('canvas');
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => blob ? done(blob) : fail(), 'image/png');
    };
    image.onerror = fail;
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  });

  const fileName = (title, ending) => {
    const words = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
    return `${words.slice(0, 80).replace(/-+$/, '') || 'chart'}.${ending}`;
  };

  const download = (blob, file) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const files = {
    png: async (svg, host) => painted(await withFaces(svg, theme(host)('font'))),
    svg: async (svg) => new Blob([svg], { type: 'image/svg+xml' }),
  };

  const keep = async (bar, title, ending, make) => {
    bar.querySelector('.tl-failed')?.remove();
    try {
      download(await make(), fileName(title, ending));
    } catch (reason) {
      console.warn('A picture could not be saved', reason);
      const told = document.createElement('span');
      told.className = 'tl-failed';
      told.setAttribute('role', 'status');
      told.textContent = 'Not saved: the browser could not draw the file. Reload and try again.';
      bar.prepend(told);
    }
  };

  const save = (host, bar, ending) => keep(bar, host.saved.name(), ending,
    async () => files[ending](await host.saved.picture(), host));

  const button = (host, bar, ending) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = ending.toUpperCase();
    made.title = `Save as ${made.textContent}`;
    made.onclick = (event) => { event.stopPropagation(); save(host, bar, ending); };
    return made;
  };

  const buttons = (host, name, picture) => {
    host.saved = { name, picture };
    host.classList.add('tl-saved');
    let bar = host.querySelector(':scope > .tl-saving');
    if (!bar) {
      bar = document.createElement('div');
      bar.className = 'tl-saving tl-unsaved';
      bar.append(button(host, bar, 'png'), button(host, bar, 'svg'));
      host.append(bar);
    }
    for (const made of bar.querySelectorAll('button')) {
      made.setAttribute('aria-label', `${made.title}: ${name()}`);
    }
  };

  return { buttons, framed, traced, markup, theme, files, keep };
})();
"""
)
