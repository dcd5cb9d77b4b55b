"use strict";

// Draws every chart when it comes into view, in the colours of the reader's theme; all of them, light, when printed.
const PRINTED_WIDTH = 322; // pixels inside a card, of which two stand side by side on A4 and on Letter
const PRINTED_ALONE = 680; // and inside one that has the line for itself
const PRINTED_HEIGHT = 0.8; // of the height on a screen
const palettes = JSON.parse(document.getElementById("palettes").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const charts = [...document.querySelectorAll(".chart")];
const drawn = new Set();

function draw(chart, theme = dark.matches ? "dark" : "light", width = undefined) {
  const colours = palettes[theme];
  const figure = JSON.parse(chart.nextElementSibling.textContent, (_, value) => {
    const role = typeof value === "string" && /^var\(--(\w+)\)$/.exec(value);
    return role && role[1] in colours ? colours[role[1]] : value;
  });
  const height = (width ? PRINTED_HEIGHT : 1) * figure.layout.height;
  const layout = { ...figure.layout, paper_bgcolor: colours.surface, width, height };
  const picture = { format: "png", scale: 2, filename: chart.parentElement.id };
  chart.style.height = `${height}px`;
  Plotly.react(chart, figure.data, layout, {
    displaylogo: false,
    modeBarButtons: [["toImage"]],
    responsive: true,
    toImageButtonOptions: picture,
  });
  drawn.add(chart);
}

const observer = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      observer.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "400px" },
);
charts.forEach((chart) => observer.observe(chart));
for (const graph of document.querySelectorAll(".pipeline-graph")) {
  const box = graph.parentElement; // its middle first, where it does not fit
  box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2;
}
dark.addEventListener("change", () => drawn.forEach((chart) => draw(chart)));
const folded = [...document.querySelectorAll(".panel details:not([open])")]; // on paper nothing can be opened
addEventListener("beforeprint", () => {
  folded.forEach((one) => (one.open = true));
  for (const chart of charts) {
    draw(chart, "light", chart.parentElement.matches(":only-child, .stack > *") ? PRINTED_ALONE : PRINTED_WIDTH);
  }
});
addEventListener("afterprint", () => {
  folded.forEach((one) => (one.open = false));
  charts.forEach((chart) => draw(chart));
});
