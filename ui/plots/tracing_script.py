"""What a browser shows of an element, drawn anew as SVG: for `saving_script`."""

JS = r"""
const Tracing = (() => {
  const markup = (text) => text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
    .replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const round = (number) => Math.round(100 * number) / 100;

  // Any CSS colour as one that every program that reads SVG understands; null where transparent.
  const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
    .getContext('2d', { willReadFrequently: true });
  const known = new Map();
  const color = (css) => {
    if (!known.has(css)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = css;
      pen.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
      known.set(css, alpha ? [`rgb(${red},${green},${blue})`, round(alpha / 255)] : null);
    }
    return known.get(css);
  };
  const paint = (name, css) => {
    const found = color(css);
    return found ? `${name}="${found[0]}"${found[1] < 1 ? ` ${name}-opacity="${found[1]}"` : ''}`
      : `${name}="none"`;
  };

  const placed = ({ left, top, width, height }, from) =>
    `x="${round(left - from.left)}" y="${round(top - from.top)}" `
    + `width="${round(width)}" height="${round(height)}"`;

  const SIDES = ['Top', 'Right', 'Bottom', 'Left'];
  const borders = (style, box, from) => {
    const wide = SIDES.map((side) => parseFloat(style[`border${side}Width`])
      * (style[`border${side}Style`] !== 'none'));
    const radius = radiusOf(style, box);
    if (wide.every((width) => width && width === wide[0])) {
      const [half, width] = [wide[0] / 2, wide[0]];
      const inner = { left: box.left + half, top: box.top + half,
                      width: Math.max(0, box.width - width),
                      height: Math.max(0, box.height - width) };
      return `<rect ${placed(inner, from)} rx="${Math.max(0, radius - half)}" fill="none" `
        + `${paint('stroke', style.borderTopColor)} stroke-width="${width}"/>`;
    }
    return SIDES.map((side, i) => {
      if (!wide[i]) return '';
      const lying = i % 2 === 0;
      const strip = {
        left: side === 'Right' ? box.right - wide[i] : box.left,
        top: side === 'Bottom' ? box.bottom - wide[i] : box.top,
        width: lying ? box.width : wide[i], height: lying ? wide[i] : box.height };
      return `<rect ${placed(strip, from)} ${paint('fill', style[`border${side}Color`])}/>`;
    }).join('');
  };

  const radiusOf = (style, box) => {
    const css = style.borderTopLeftRadius;
    const whole = css.includes('%') ? Math.min(box.width, box.height) / 100 : 1;
    const radius = parseFloat(css) * whole;
    return round(Math.min(radius, box.width / 2, box.height / 2));
  };

  // A picture behind an element, cut to it: of a sprite that is one tile. The sprite comes once.
  // One that is smaller than the element is laid again and again.
  const behind = (style, box, from) => {
    const [, url] = style.backgroundImage.match(/^url\("(.+)"\)$/) ?? [];
    if (!url) return '';
    const [x, y = 0] = style.backgroundPosition.split(' ').map(parseFloat);
    const [wide, high] = style.backgroundSize.split(' ').map(parseFloat);
    const size = Number.isFinite(wide)
      ? `width="${wide}"${Number.isFinite(high) ? ` height="${high}"` : ''}` : '';
    const image = `href="${markup(url)}" ${size} preserveAspectRatio="none" `
      + `style="image-rendering:${style.imageRendering}"`;
    if (!from.shared.has(image)) from.shared.set(image, `shared-${from.shared.size}`);
    const id = from.shared.get(image);
    const smaller = high && (wide + 1 < box.width || high + 1 < box.height);
    return smaller ? tiled(id, wide, high, box, from)
      : `<svg ${placed(box, from)}><use href="#${id}" x="${x}" y="${y}"/></svg>`;
  };
  const tiled = (picture, wide, high, box, from) => {
    const id = `shade-${from.shades.length}`;
    from.shades.push(`<pattern id="${id}" patternUnits="userSpaceOnUse" width="${wide}" `
      + `height="${high}"><use href="#${picture}"/></pattern>`);
    return `<rect ${placed(box, from)} fill="url(#${id})"/>`;
  };

  // Colours from left to right: [colour, place from 0 to 1]; no stop stands before an earlier one.
  const stopsOf = (css, width) => {
    const [, inner] = css.match(/^linear-gradient\(to right, (.+)\)$/) ?? [];
    if (!inner) return null;
    let last = 0;
    return inner.split(/,\s*(?![^(]*\))/).map((stop, i, all) => {
      const [, ink, at, unit] = stop.match(/^(.+?)(?: (-?[\d.]+)(%|px))?$/);
      const place = at === undefined ? i / (all.length - 1)
        : Number(at) / (unit === '%' ? 100 : width);
      last = Math.max(last, Math.min(1, place));
      return [ink, last];
    });
  };
  const shaded = (style, box, from) => {
    const stops = stopsOf(style.backgroundImage, box.width);
    if (!stops) return '';
    const inner = stops.map(([ink, place]) => {
      const [opaque, alpha] = color(ink) ?? ['rgb(0,0,0)', 0];
      return `<stop offset="${round(place)}" stop-color="${opaque}" stop-opacity="${alpha}"/>`;
    }).join('');
    const id = `shade-${from.shades.length}`;
    from.shades.push(`<linearGradient id="${id}">${inner}</linearGradient>`);
    return `<rect ${placed(box, from)} rx="${radiusOf(style, box)}" fill="url(#${id})"/>`;
  };

  // The corners of what a box is cut to, none where it is not.
  const cornersOf = (style, box, from) => {
    const [, inner] = style.clipPath.match(/^polygon\((.+)\)$/) ?? [];
    return inner?.split(', ').map((corner) => {
      const [x, y] = corner.split(' ').map((at, i) =>
        parseFloat(at) * (at.endsWith('%') ? [box.width, box.height][i] / 100 : 1));
      return `${round(box.left - from.left + x)},${round(box.top - from.top + y)}`;
    }).join(' ');
  };

  const ground = (style, box, from) => {
    const corners = cornersOf(style, box, from);
    const shape = corners ? `<polygon points="${corners}"`
      : `<rect ${placed(box, from)} rx="${radiusOf(style, box)}"`;
    const filled = color(style.backgroundColor)
      ? `${shape} ${paint('fill', style.backgroundColor)}/>` : '';
    return filled + shaded(style, box, from) + behind(style, box, from) + borders(style, box, from);
  };

  // The lines into which the browser broke a text: [text, box].
  const linesOf = (node) => {
    const range = document.createRange();
    const lines = [];
    [...node.data.matchAll(/\S+|\s+/g)].forEach(({ 0: word, index }) => {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const [box] = range.getClientRects();
      if (!box?.width) return;
      const last = lines[lines.length - 1];
      if (last && Math.abs(last[1].top - box.top) < 2) {
        last[0] += word;
        last[1] = { ...last[1], width: box.right - last[1].left };
      } else {
        lines.push([word, { left: box.left, top: box.top, width: box.width, height: box.height }]);
      }
    });
    return lines;
  };

  const ascent = (style) => {
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText('x');
    return up / (up + down);
  };

  // Text that is read from below to above.
  const upright = (node, style, from) => {
    const range = document.createRange();
    range.selectNode(node);
    const { left, top, width, height } = range.getBoundingClientRect();
    const [x, y] = [round(left - from.left + width / 2), round(top - from.top + height / 2)];
    return `<text transform="translate(${x} ${y}) rotate(-90)" text-anchor="middle" dy="0.35em" `
      + `textLength="${round(height)}" lengthAdjust="spacingAndGlyphs" `
      + `font-size="${style.fontSize}" font-weight="${style.fontWeight}" `
      + `font-family="${markup(style.fontFamily)}" ${paint('fill', style.color)}>`
      + `${markup(node.data)}</text>`;
  };

  const cased = {
    uppercase: (line) => line.toUpperCase(), lowercase: (line) => line.toLowerCase(),
  };
  const text = (node, from) => {
    const style = getComputedStyle(node.parentElement);
    if (style.writingMode.startsWith('vertical')) return upright(node, style, from);
    return linesOf(node).map(([line, box]) =>
      `<text x="${round(box.left - from.left)}" `
      + `y="${round(box.top - from.top + box.height * ascent(style))}" `
      + `textLength="${round(box.width)}" lengthAdjust="spacingAndGlyphs" xml:space="preserve" `
      + `font-size="${style.fontSize}" font-weight="${style.fontWeight}" `
      + `font-style="${style.fontStyle}" font-family="${markup(style.fontFamily)}" `
      + `${paint('fill', style.color)}>${markup((cased[style.textTransform] ?? String)(line))}`
      + '</text>').join('');
  };

  const DRAWN = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'opacity',
    'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin', 'font-size', 'font-weight',
    'font-family', 'text-anchor', 'dominant-baseline', 'paint-order', 'display', 'visibility'];
  const svg = (element, box, from) => {
    const copy = element.cloneNode(true);
    const copies = [copy, ...copy.querySelectorAll('*')];
    [element, ...element.querySelectorAll('*')].forEach((original, i) => {
      const style = getComputedStyle(original);
      copies[i].removeAttribute('class');
      copies[i].setAttribute('style',
        DRAWN.map((name) => `${name}:${style.getPropertyValue(name)}`).join(';'));
    });
    for (const name of ['width', 'height']) copy.setAttribute(name, round(box[name]));
    copy.setAttribute('x', round(box.left - from.left));
    copy.setAttribute('y', round(box.top - from.top));
    if (!copy.getAttribute('viewBox')) copy.setAttribute('overflow', 'visible');
    return new XMLSerializer().serializeToString(copy);
  };

  const pixels = (element) => {
    if (element instanceof HTMLCanvasElement) return element.toDataURL();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [element.naturalWidth, element.naturalHeight];
    canvas.getContext('2d').drawImage(element, 0, 0);
    return canvas.toDataURL();
  };
  const picture = (element, box, from) =>
    `<image ${placed(box, from)} href="${pixels(element)}" preserveAspectRatio="none" `
    + `style="image-rendering:${getComputedStyle(element).imageRendering}"/>`;

  const inside = (element, style, box, from) => {
    const drawn = [...element.childNodes].map((child) => node(child, from)).join('');
    const cut = style.overflowX !== 'visible' && drawn;
    if (!cut) return drawn;
    const [x, y] = [round(box.left - from.left), round(box.top - from.top)];
    const [width, height] = [round(box.width), round(box.height)];
    return `<svg x="${x}" y="${y}" width="${width}" height="${height}" `
      + `viewBox="${x} ${y} ${width} ${height}">${drawn}</svg>`;
  };

  const node = (one, from) => {
    if (one.nodeType === Node.TEXT_NODE) return text(one, from);
    if (one.nodeType !== Node.ELEMENT_NODE || one.classList.contains('tl-unsaved')) return '';
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    const unseen = style.display === 'none' || style.visibility === 'hidden';
    if (unseen || style.opacity === '0') return '';
    const special = one.asSvg
      ? `<svg ${placed(box, from)}>${one.asSvg(box.width, box.height)}</svg>`
      : one instanceof SVGSVGElement ? svg(one, box, from)
      : one instanceof HTMLCanvasElement || one instanceof HTMLImageElement
        ? box.width && box.height ? picture(one, box, from) : ''
        : null;
    const drawn = (style.display === 'contents' ? '' : ground(style, box, from))
      + (special ?? inside(one, style, box, from));
    return style.opacity === '1' || !drawn ? drawn : `<g opacity="${style.opacity}">${drawn}</g>`;
  };

  const traced = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const from = { left, top, shared: new Map(), shades: [] };
    const drawn = node(element, from);
    const images = [...from.shared].map(([image, id]) => `<image id="${id}" ${image}/>`);
    const shared = `<defs>${from.shades.join('')}${images.join('')}</defs>`;
    return { width, height, body: shared + drawn };
  };

  return { traced, paint, markup };
})();
"""
