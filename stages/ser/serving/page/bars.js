// The probabilities of the emotions as bars, which also can be read.

import { colourVariable } from "./colours.js";
import { element, mostProbable, percent } from "./words.js";

export function makeBars(list, emotions, names) {
  const rows = new Map();
  list.replaceChildren();
  for (const emotion of emotions) {
    const bar = element("i"),
      number = element("b", { textContent: "–" });
    bar.style.setProperty("--c", colourVariable(names, emotion));
    const row = element(
      "li",
      {},
      element("span", { textContent: emotion }),
      element("span", { className: "track" }, bar),
      number,
    );
    row.children[1].setAttribute("aria-hidden", "true");
    rows.set(emotion, { row, bar, number });
    list.append(row);
  }
  return probabilities => {
    const most = probabilities ? mostProbable(probabilities)[0] : null;
    for (const [emotion, { row, bar, number }] of rows) {
      const probability = probabilities?.[emotion] ?? 0;
      bar.style.transform = `scaleX(${probability})`;
      number.textContent = probabilities ? percent(probability) : "–";
      row.classList.toggle("most", emotion === most);
    }
  };
}
