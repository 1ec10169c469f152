// Pictures and the maps over them. Several pictures lie on one sheet, in rows; each has its place there and keeps its own pixels.
(() => {
  const S = Scratchpad, GAP = 0.03, SHOWN = 896, sheets = new WeakMap(), pictures = new Map();
  const STOPS = [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]];
  const CHANGE = [[33, 102, 172], [103, 160, 206], [190, 214, 232], [245, 245, 242], [247, 205, 160], [230, 140, 60], [179, 88, 6]];
  function mix(stops, x) {
    const at = Math.min(Math.max(x, 0), 1) * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2), f = at - i;
    return stops[i].map((c, j) => Math.round(c + f * (stops[i + 1][j] - c)));
  }
  S.strength = (x) => mix(STOPS, x);
  S.change = (x) => mix(CHANGE, (x + 1) / 2);

  // A shot is {images: addresses, sizes: [h, w] of each, tiles}. Its sheet: {size: [h, w], places: [x, y, w, h] of each picture}.
  S.sheet = (shot) => {
    if (!sheets.has(shot.sizes)) sheets.set(shot.sizes, laid(shot.sizes));
    return sheets.get(shot.sizes);
  };
  function laid(sizes) {
    const across = Math.ceil(Math.sqrt(sizes.length)), high = Math.max(...sizes.map((s) => s[0])), wide = Math.max(...sizes.map((s) => s[1]));
    const gap = sizes.length > 1 ? GAP * Math.max(high, wide) : 0, places = [];
    let y = 0, right = 0;
    for (let i = 0; i < sizes.length; i += across) {
      let x = 0, row = 0;
      for (const [h, w] of sizes.slice(i, i + across)) {
        const s = Math.min(high / h, wide / w);
        places.push([x, y, w * s, h * s]);
        x += w * s + gap; row = Math.max(row, h * s);
      }
      right = Math.max(right, x - gap); y += row + gap;
    }
    return { size: [y - gap, right], places };
  }
  // [x, y, w, h] on the sheet of a box y0, x0, y1, x1 in a picture's own pixels.
  S.onSheet = (shot, image, [y0, x0, y1, x1]) => {
    const [x, y, w, h] = S.sheet(shot).places[image], sy = h / shot.sizes[image][0], sx = w / shot.sizes[image][1];
    return [x + x0 * sx, y + y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy];
  };
  // The picture nearest to a point of the sheet, and the point in that picture's own pixels; with `image`, in that one's.
  S.inPicture = (shot, x, y, image = null) => {
    const far = ([px, py, w, h]) => Math.hypot(Math.max(px - x, 0, x - px - w), Math.max(py - y, 0, y - py - h));
    const places = S.sheet(shot).places, i = image ?? places.reduce((best, p, n) => (far(p) < far(places[best]) ? n : best), 0);
    const [px, py, w, h] = places[i], [rows, cols] = shot.sizes[i], inside = (v, most) => Math.min(Math.max(v, 0), 1) * most;
    return { image: i, y: inside((y - py) / h, rows), x: inside((x - px) / w, cols), hit: far(places[i]) === 0 };
  };
  S.tileOf = (shot, p) => { let n = 0; for (const t of shot.tiles) { const all = t.rows * t.cols; if (p < all) return [t, n, Math.floor(p / t.cols), p % t.cols]; p -= all; n++; } return null; };
  // A patch's box in its picture's own pixels: y0, x0, y1, x1.
  S.patchBox = (shot, p) => {
    const [t, , row, col] = S.tileOf(shot, p), [y0, x0, y1, x1] = t.box, h = (y1 - y0) / t.rows, w = (x1 - x0) / t.cols;
    return [y0 + row * h, x0 + col * w, y0 + (row + 1) * h, x0 + (col + 1) * w];
  };
  S.patchAt = (shot, image, y, x) => {
    let p = 0;
    for (const t of shot.tiles) {
      const [y0, x0, y1, x1] = t.box, row = Math.floor((y - y0) / (y1 - y0) * t.rows), col = Math.floor((x - x0) / (x1 - x0) * t.cols);
      if ((t.image || 0) === image && row >= 0 && row < t.rows && col >= 0 && col < t.cols) return p + row * t.cols + col;
      p += t.rows * t.cols;
    }
    return null;
  };

  function picture(src) {
    if (!pictures.has(src)) {
      if (pictures.size > 400) pictures.clear();
      pictures.set(src, new Promise((done) => { const i = new Image(); i.onload = () => done(i); i.onerror = () => done(null); i.src = src; }));
    }
    return pictures.get(src);
  }
  // Draws a value per patch over the pictures: the grey picture where it's low, the map's colour where it's high. `box` is on the sheet.
  S.paint = async (canvas, shot, values, { width = 0, box = null, dim = 1 } = {}) => {
    const turn = canvas.turn = (canvas.turn || 0) + 1, images = await Promise.all(shot.images.map(picture));
    if (images.includes(null) || canvas.turn !== turn) return;  // it was asked for something else meanwhile
    const { size: [h, w], places } = S.sheet(shot), scale = (width || Math.min(w, SHOWN)) / w;
    canvas.width = Math.max(1, Math.round(w * scale)); canvas.height = Math.max(1, Math.round(h * scale));
    const pen = canvas.getContext("2d");
    pen.filter = values ? `grayscale(${dim}) contrast(.85)` : "none";
    images.forEach((image, i) => pen.drawImage(image, ...places[i].map((v) => v * scale)));
    pen.filter = "none";
    if (values) {
      let top = 0; for (const v of values) if (v > top) top = v;
      let p = 0;
      for (const t of shot.tiles) {
        const [x, y, tw, th] = S.onSheet(shot, t.image || 0, t.box).map((v) => v * scale), ch = th / t.rows, cw = tw / t.cols;
        pen.save(); pen.beginPath(); pen.rect(...places[t.image || 0].map((v) => v * scale)); pen.clip();  // tiles may reach beyond their picture
        for (let r = 0; r < t.rows; r++) for (let c = 0; c < t.cols; c++, p++) {
          const v = top > 0 ? values[p] / top : 0;
          if (v < 0.03) continue;
          const [red, green, blue] = S.strength(0.25 + 0.75 * v);
          pen.fillStyle = `rgba(${red},${green},${blue},${0.15 + 0.75 * v})`;
          pen.fillRect(x + c * cw, y + r * ch, cw + 0.6, ch + 0.6);
        }
        pen.restore();
      }
    }
    if (box) { pen.lineWidth = 3; pen.strokeStyle = "#fff"; pen.strokeRect(...box.map((v) => v * scale)); pen.lineWidth = 1.2; pen.strokeStyle = "#111"; pen.strokeRect(...box.map((v) => v * scale)); }
  };
})();
