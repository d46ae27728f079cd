// The report's two moving parts: the film of sample grids, and a cursor that runs through all charts at once.
"use strict";
document.documentElement.classList.add("scripted");
const page = JSON.parse(document.getElementById("numbers").textContent);

const charts = page.charts.map((chart, index) => {
  const figure = document.getElementById("chart" + index);
  const plot = figure.querySelector(".plot");
  const cursor = document.createElement("div");
  cursor.className = "cursor";
  plot.append(cursor);
  return { ...chart, plot, cursor, keys: [...figure.querySelectorAll(".keys b")] };
});

// The index of the step nearest to `step`; steps ascend.
function nearest(steps, step) {
  let low = 0, high = steps.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < step) low = middle + 1; else high = middle;
  }
  return low > 0 && step - steps[low - 1] < steps[low] - step ? low - 1 : low;
}

// Put the cursor of every chart at `step` (null: away) and show the values there in place of the last ones.
function point(step) {
  for (const chart of charts) {
    const [first, last] = chart.limits;
    const shown = step !== null && step >= first && step <= last;
    chart.cursor.style.opacity = shown ? 0.45 : 0;
    if (shown) {
      const [left, top, right, bottom] = page.box;
      const { clientWidth: width, clientHeight: height } = chart.plot;
      chart.cursor.style.left = (left + (right - left) * (step - first) / (last - first)) * width + "px";
      chart.cursor.style.top = top * height + "px";
      chart.cursor.style.height = (bottom - top) * height + "px";
    }
    chart.series.forEach((series, index) => {
      const at = shown ? nearest(series.steps, step) : series.steps.length - 1;
      chart.keys[index].textContent = series.values[at];
      chart.keys[index].title = "at step " + series.steps[at];
    });
  }
}

for (const chart of charts) {
  chart.plot.addEventListener("pointermove", (event) => {
    const { left, width } = chart.plot.getBoundingClientRect();
    const share = ((event.clientX - left) / width - page.box[0]) / (page.box[2] - page.box[0]);
    const [first, last] = chart.limits;
    point(first + Math.min(Math.max(share, 0), 1) * (last - first));
  });
  chart.plot.addEventListener("pointerleave", () => point(null));
}

const film = document.getElementById("film");
if (film && page.grids.length > 1) {
  const picture = film.querySelector("img");
  const [button] = film.getElementsByTagName("button");
  const [slider] = film.getElementsByTagName("input");
  const [output] = film.getElementsByTagName("output");
  let timer = 0;
  const show = (index) => {
    slider.value = index;
    picture.src = page.grids[index].image;
    picture.alt = "Samples at step " + page.grids[index].step;
    output.textContent = "step " + page.grids[index].step.toLocaleString("en").replaceAll(",", "\u202f");
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "Play";
  };
  const play = () => {
    if (+slider.value === page.grids.length - 1) show(0);
    button.textContent = "Pause";
    timer = setInterval(() => {
      show(+slider.value + 1);
      point(page.grids[+slider.value].step);
      if (+slider.value === page.grids.length - 1) stop();
    }, 220);
  };
  slider.addEventListener("input", () => {
    stop();
    show(+slider.value);
    point(page.grids[+slider.value].step);
  });
  film.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (timer) stop(); else play();
  });
}
