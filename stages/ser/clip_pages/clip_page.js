"use strict";
// The cursor: what the slider, a click or the sound moves it to, and the numbers there as text.
{
  const numbers = JSON.parse(document.getElementById("numbers").textContent);
  const slider = document.getElementById("slider"),
    button = document.getElementById("play"),
    audio = document.getElementById("sound"),
    shown = document.querySelector(".at");
  const put = (key, text) => (shown.querySelector(`[data-is="${key}"]`).textContent = text);
  const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");

  function show(seconds) {
    const inside = Math.min(Math.max(seconds, 0), numbers.seconds),
      time = numbers.start + inside,
      frame = Math.min(Math.round(inside / numbers.hop), numbers.f0.length - 1),
      voiced = numbers.f0[frame] > 0;
    document.documentElement.style.setProperty("--at", inside / numbers.seconds);
    if (document.activeElement !== slider || audio === null || !audio.paused) slider.value = inside;
    put("time", `${fixed(time, 2)} s`);
    put("f0", voiced ? `${fixed(numbers.f0[frame], 1)} Hz` : "unvoiced");
    for (const name of ["f1", "f2", "f3"]) put(name, voiced ? `${numbers[name][frame]} Hz` : "–");
    put("level", `${fixed(numbers.level[frame], 1)} dBFS`);
    slider.setAttribute("aria-valuetext", [...shown.querySelectorAll("dl > div")].map(e => e.textContent.trim().replace(/\s+/g, " ")).join(", "));
    numbers.models.forEach((parts, model) => {
      const list = document.getElementById(`values-${model}`),
        last = inside === numbers.seconds ? parts.filter(each => each.end >= time - 1e-3).at(-1) : undefined,
        part = parts.find(each => each.start <= time && time < each.end) ?? last;
      if (!list) return;
      list.querySelectorAll("[data-p]").forEach((cell, i) => (cell.textContent = part?.p ? part.p[i].toFixed(2) : "–"));
      list.querySelector(".why").textContent = part?.unfamiliar ? `unfamiliar: ${part.unfamiliar}` : "";
    });
  }

  const position = () => Number(slider.value);
  function move(seconds) {
    const inside = Math.min(Math.max(seconds, 0), numbers.seconds);
    slider.value = inside;
    if (audio) audio.currentTime = inside;
    show(inside);
  }

  slider.addEventListener("input", () => move(position()));
  for (const plot of document.querySelectorAll(".plot")) {
    const there = event => {
      const box = plot.getBoundingClientRect();
      move(((event.clientX - box.left) / box.width) * numbers.seconds);
    };
    plot.addEventListener("pointerdown", event => {
      there(event);
      if (event.pointerType === "mouse") plot.setPointerCapture(event.pointerId);
    });
    plot.addEventListener("pointermove", event => plot.hasPointerCapture(event.pointerId) && there(event));
  }

  // space plays wherever nothing else takes it; arrows move also where the slider has no focus
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("button, summary, a, audio")) return;
    if (event.key === " " && audio) {
      event.preventDefault();
      button.click();
    } else if (event.target !== slider && !event.target.closest(".scroll") && /^Arrow(Left|Right)$/.test(event.key)) {
      event.preventDefault();
      move(position() + (event.key === "ArrowLeft" ? -1 : 1) * Number(slider.step));
    }
  });

  if (audio) {
    const follow = () => {
      if (audio.paused) return;
      show(audio.currentTime);
      requestAnimationFrame(follow);
    };
    button.addEventListener("click", () => {
      if (!audio.paused) return audio.pause();
      if (position() >= numbers.seconds - 0.01) move(0);
      audio.play();
    });
    audio.addEventListener("play", () => {
      button.textContent = "Pause";
      follow();
    });
    audio.addEventListener("pause", () => {
      button.textContent = "Play";
      show(audio.currentTime);
    });
    audio.addEventListener("ended", () => move(numbers.seconds));
  }
  shown.hidden = false;
  show(0);
}
