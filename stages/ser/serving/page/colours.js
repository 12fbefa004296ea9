// A colour for each emotion, from the style sheet, so that light and dark have their own.
// No colour tells anything alone.

const OWN = ["anger", "sadness", "disgust", "fear", "happiness", "surprise", "neutral", "calm", "boredom"];
const LIKE = new Map([
  ["joy", "happiness"],
  ["happy", "happiness"],
  ["angry", "anger"],
  ["sad", "sadness"],
  ["fearful", "fear"],
  ["contempt", "boredom"],
]);

export function colourNames(emotions) {
  const names = new Map(emotions.map(emotion => [emotion, OWN.includes(emotion) ? emotion : LIKE.get(emotion)]));
  const left = ["other", ...OWN].filter(name => ![...names.values()].includes(name));
  for (const [emotion, name] of names) if (!name) names.set(emotion, left.shift() ?? "other");
  return names;
}

export const colourVariable = (names, emotion) =>
  names.has(emotion) ? `var(--${names.get(emotion)})` : "var(--strong)";

// what a canvas needs: the colours themselves, as they are now
export function palette(names) {
  const style = getComputedStyle(document.documentElement),
    read = name => style.getPropertyValue(`--${name}`).trim();
  const emotions = new Map([...names].map(([emotion, name]) => [emotion, read(name)]));
  const [paper, panel, ink, muted, rule, strong, red] = ["paper", "panel", "ink", "muted", "rule", "strong", "red"].map(
    read,
  );
  return {
    paper,
    panel,
    ink,
    muted,
    rule,
    strong,
    red,
    sans: read("sans"),
    of: emotion => emotions.get(emotion) ?? strong,
  };
}
