// The map of all clips: a canvas that is used by pointer and by keyboard.
const clipMap = document.getElementById("clip-map");
if (clipMap) {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const clips = [];
  for (let i = 0; i < data.clips.length; i += 2) clips.push((clips.at(-1) ?? "").slice(0, data.clips[i]) + data.clips[i + 1]);
  const unpack = ({ bits, data }) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
    const at = bits === 16 ? i => view.getUint16(2 * i, true) : i => view.getUint32(4 * i, true);
    return Array.from({ length: bytes.length / (bits / 8) }, (_, i) => at(i));
  };
  const columns = Object.fromEntries(Object.entries(data.columns).map(([name, packed]) => [name, unpack(packed)]));
  const x = columns.x.map(value => value / 65535), y = columns.y.map(value => 1 - value / 65535);
  const named = (label, clip) => data.names[label][columns[label][clip]] || "unknown";
  const canvas = clipMap.querySelector("canvas"), context = canvas.getContext("2d"), layer = document.createElement("canvas");
  const tip = clipMap.querySelector(".map-tip"), output = clipMap.querySelector("output"), audio = clipMap.querySelector("audio");
  const legend = clipMap.querySelector(".map-legend"), nearest = clipMap.querySelector(".map-nearest");
  const heard = Object.keys(data.sounds).map(Number);
  const colours = ["blue", "vermilion", "green", "purple", "orange", "strong", "sky"];
  const shapes = [  // as many as have no factor in common with the colours: together 35 kinds of dots
    (c, r) => c.arc(0, 0, r, 0, 7),
    (c, r) => c.rect(-.85 * r, -.85 * r, 1.7 * r, 1.7 * r),
    (c, r) => { c.moveTo(0, -1.2 * r); c.lineTo(1.1 * r, .8 * r); c.lineTo(-1.1 * r, .8 * r); c.closePath(); },
    (c, r) => { c.moveTo(0, -1.3 * r); c.lineTo(1.3 * r, 0); c.lineTo(0, 1.3 * r); c.lineTo(-1.3 * r, 0); c.closePath(); },
    (c, r) => { c.rect(-1.2 * r, -.4 * r, 2.4 * r, .8 * r); c.rect(-.4 * r, -1.2 * r, .8 * r, 2.4 * r); },
  ];
  const largest = clips.length > 10000 ? 1.6 : clips.length > 2000 ? 2.4 : 3.4;
  const golden = Math.round(clips.length * .618), stride = [...Array(50).keys()].map(i => golden + i).find(step => {
    let a = clips.length, b = step;
    while (b) [a, b] = [b, a % b];
    return a === 1;
  }) ?? 1;  // in which order dots are drawn: no label is always on top
  let label = "emotion", wanted = new Set(), chosen = -1, over = -1, zoom = 1, middle = [.5, .5], side = 1, ratio = 1, radius = largest, scheduled = false;
  const colour = name => getComputedStyle(clipMap).getPropertyValue(`--${name}`);
  const shown = clip => !wanted.size || wanted.has(columns[label][clip]);
  const margin = 14;
  const place = clip => [
    side / 2 + (x[clip] - middle[0]) * zoom * (side - 2 * margin),
    side / 2 + (y[clip] - middle[1]) * zoom * (side - 2 * margin),
  ];
  const dot = (target, kind, px, py, r) => {
    target.setTransform(ratio, 0, 0, ratio, px * ratio, py * ratio);
    target.beginPath();
    shapes[kind % shapes.length](target, r);
    target.fill();
  };
  const paint = () => {
    scheduled = false;
    side = canvas.clientWidth;
    radius = largest * Math.min(1, Math.max(.7, side / 600));
    ratio = devicePixelRatio || 1;
    for (const each of [canvas, layer]) each.width = each.height = Math.max(1, Math.round(side * ratio));
    const target = layer.getContext("2d"), fills = colours.map(colour), rule = colour("rule"), ink = colour("ink");
    for (const there of [false, true]) {  // those that are filtered out lie below the others
      for (let i = 0, clip = 0; i < clips.length; i++, clip = (clip + stride) % clips.length) {
        if (shown(clip) !== there) continue;
        const kind = columns[label][clip], [px, py] = place(clip);
        if (px < -9 || py < -9 || px > side + 9 || py > side + 9) continue;
        target.fillStyle = there ? fills[kind % fills.length] : rule;
        dot(target, there ? kind : 0, px, py, there ? radius * Math.min(zoom, 2) ** .5 : radius * .7);
      }
    }
    target.strokeStyle = ink;
    target.lineWidth = .8;
    for (const clip of heard.filter(shown)) {  // a ring: can be listened to
      const [px, py] = place(clip);
      target.setTransform(ratio, 0, 0, ratio, px * ratio, py * ratio);
      target.beginPath();
      target.arc(0, 0, radius * 1.6 + 1, 0, 7);
      target.stroke();
    }
    mark();
  };
  const later = () => { if (!scheduled) { scheduled = true; requestAnimationFrame(paint); } };
  const mark = () => {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(layer, 0, 0);
    for (const [clip, width] of [[over, 1.5], [chosen, 3]]) {
      if (clip < 0) continue;
      const [px, py] = place(clip);
      context.setTransform(ratio, 0, 0, ratio, px * ratio, py * ratio);
      for (const [line, extra] of [[colour("paper"), 3], [colour("ink"), 0]]) {
        context.beginPath();
        context.arc(0, 0, radius + 6, 0, 7);
        context.strokeStyle = line;
        context.lineWidth = width + extra;
        context.stroke();
      }
    }
  };
  const words = clip => {
    const said = data.names.said[columns.said[clip]], p = (columns.p[clip] / 65535).toFixed(2);
    const answer = said === "" ? "in no test part" : `${clipMap.dataset.best} says ${said} (${p})`;
    return `${named("emotion", clip)}, speaker ${named("speaker", clip)}, ${named("corpus", clip)}; ${answer}`;
  };
  const choose = clip => {
    chosen = clip;
    const sound = data.sounds[clip];
    if (audio) {
      audio.pause();
      audio.hidden = !sound;
      if (sound) audio.src = sound;
      else audio.removeAttribute("src");
    }
    output.replaceChildren(Object.assign(document.createElement("code"), { textContent: clips[clip] }), `: ${words(clip)}`,
      sound ? "" : heard.length ? "; its sound is not on this page" : "");
    const [px, py] = place(clip);
    if (px < 0 || py < 0 || px > side || py > side) { middle = [x[clip], y[clip]]; later(); } else mark();
  };
  const play = () => { if (data.sounds[chosen]) audio.play(); };
  const closest = (clips, px, py, most = Infinity) => {
    let found = -1, best = most * most;
    for (const clip of clips) {
      if (!shown(clip)) continue;
      const [cx, cy] = place(clip), away = (cx - px) ** 2 + (cy - py) ** 2;
      if (away < best) [found, best] = [clip, away];
    }
    return found;
  };
  const towards = (dx, dy) => {
    const [px, py] = place(chosen);
    let found = -1, best = Infinity;
    for (let clip = 0; clip < clips.length; clip++) {
      if (!shown(clip)) continue;
      const [cx, cy] = place(clip), along = (cx - px) * dx + (cy - py) * dy;
      const aside = Math.abs((cx - px) * dy) + Math.abs((cy - py) * dx);
      if (along > .01 && along + 2 * aside < best && aside <= 2 * along) [found, best] = [clip, along + 2 * aside];
    }
    return found;
  };
  const magnify = factor => {
    zoom = Math.min(64, Math.max(1, zoom * factor));
    middle = zoom === 1 ? [.5, .5] : chosen >= 0 ? [x[chosen], y[chosen]] : middle;
    later();
  };
  const fillLegend = () => {
    const counts = data.names[label].map(() => 0);
    for (const value of columns[label]) counts[value]++;
    legend.replaceChildren(...data.names[label].map((name, kind) => {
      const line = document.createElement("label"), box = Object.assign(document.createElement("input"), { type: "checkbox", value: kind });
      const sign = document.createElement("canvas"), count = document.createElement("small");
      sign.dataset.kind = kind;
      sign.setAttribute("aria-hidden", "true");
      count.textContent = counts[kind].toLocaleString("en");
      line.append(box, sign, Object.assign(document.createElement("span"), { textContent: name || "unknown" }), count);
      return line;
    }));
    paintLegend();
    clipMap.querySelector(".map-repeats").hidden = data.names[label].length <= colours.length * shapes.length;
  };
  const paintLegend = () => legend.querySelectorAll("canvas").forEach(sign => {
    ratio = devicePixelRatio || 1;
    sign.width = sign.height = 14 * ratio;
    const target = sign.getContext("2d"), kind = Number(sign.dataset.kind);
    target.fillStyle = colour(colours[kind % colours.length]);
    dot(target, kind, 7, 7, 4.5);
  });
  const repaint = () => { paintLegend(); later(); };

  clipMap.hidden = false;
  clipMap.addEventListener("change", event => {
    if (event.target.name === "map-label") {
      label = event.target.value;
      wanted = new Set();
      fillLegend();
    } else {
      wanted = new Set([...legend.querySelectorAll(":checked")].map(box => Number(box.value)));
    }
    later();
  });
  const pointed = (event, most) => {
    const box = canvas.getBoundingClientRect();
    return closest(clips.keys(), event.clientX - box.left, event.clientY - box.top, most);
  };
  canvas.addEventListener("pointermove", event => {
    const found = pointed(event, 14);
    tip.hidden = found < 0;
    if (found >= 0) {
      const [px, py] = place(found);
      tip.textContent = `${clips[found]}: ${words(found)}`;
      tip.style.left = `${Math.max(0, Math.min(px + 12, side - tip.offsetWidth))}px`;
      tip.style.top = `${py > side / 2 ? py - tip.offsetHeight - 12 : py + 14}px`;
    }
    if (found !== over) { over = found; mark(); }
  });
  canvas.addEventListener("pointerleave", () => { over = -1; tip.hidden = true; mark(); });
  canvas.addEventListener("click", event => {
    const found = pointed(event, 24);
    if (found >= 0) { choose(found); play(); }
  });
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = arrows[event.key];
    if (arrow) {
      const found = chosen < 0 || !shown(chosen) ? closest(clips.keys(), side / 2, side / 2) : towards(...arrow);
      if (found >= 0) choose(found);
    } else if (event.key === "Enter" || event.key === " ") play();
    else if (event.key === "+" || event.key === "=") magnify(2);
    else if (event.key === "-") magnify(.5);
    else if (event.key === "0") magnify(0);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", () => {
    if (chosen >= 0 || !canvas.matches(":focus-visible")) return;
    const found = closest(clips.keys(), side / 2, side / 2);
    if (found >= 0) choose(found);
  });
  for (const button of clipMap.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => magnify(Number(button.dataset.zoom)));
  nearest?.addEventListener("click", () => {
    const [px, py] = chosen < 0 ? [side / 2, side / 2] : place(chosen);
    const found = closest(heard.filter(clip => clip !== chosen), px, py);
    if (found >= 0) { choose(found); play(); }
  });
  new ResizeObserver(later).observe(canvas);
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", repaint);
  fillLegend();
  paint();
}
