// No module, as these cannot be loaded from a file, nor without all that they import: says so.
if (location.protocol === "file:") {
  document.getElementById("from-file").hidden = false;
  document.getElementById("model-line").hidden = true;
} else {
  document.querySelector("script[type=module]").addEventListener("error", () => {
    document.getElementById("model-line").textContent =
      "A file of this page is missing: write it anew with ser serve --static.";
  });
}
