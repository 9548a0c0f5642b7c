"use strict";
(() => {
  // Okabe and Ito's palette: told apart by colour-blind readers too.
  const light = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#6b4fa0", "#000000"];
  const dark = ["#56b4e9", "#ff8c42", "#2fd6a3", "#e29fc7", "#f0e442", "#8fd0ff", "#b9a3e8", "#ffffff"];
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const colour = i => (scheme.matches ? dark : light)[i % light.length];
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const $ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const ms = v => v == null ? "" : v >= 1000 ? (v / 1000).toPrecision(3) + " s" : v >= 1 ? v.toPrecision(3) + " ms" : (v * 1000).toPrecision(3) + " µs";
  const short = v => v == null ? "" : v >= 1e6 ? (v / 1e6).toPrecision(3) + "M" : v >= 1e3 ? (v / 1e3).toPrecision(3) + "k" : v.toPrecision(3);
  // 1/(1-p) as the percentile people say.
  const percentile = x => x <= 1 ? "min" : "p" + Number((100 * (1 - 1 / x)).toFixed(Math.max(0, Math.ceil(Math.log10(x)) - 2) + (x < 10 ? 1 : 0)));
  let charts = [];

  const axis = (label, format, extra) => ({
    label, stroke: css("--ink"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") }, size: 70,
    values: (u, splits) => splits.map(v => v == null ? "" : format(v)), ...extra,
  });
  const decade = { filter: (u, splits) => splits.map(v => Math.abs(Math.log10(v) % 1) < 1e-9 || Math.abs(Math.abs(Math.log10(v) % 1) - 1) < 1e-9 ? v : null) };
  // 1, 2 and 5 of each power of ten while there is room for their names.
  const half = { filter: (u, splits) => splits.map(v => (splits.at(-1) / splits[0] > 500 ? [1] : [1, 2, 5]).includes(Math.round(v / 10 ** Math.floor(Math.log10(v) + 1e-9))) ? v : null) };

  function draw(element, series, columns, options) {
    if (!element) return;
    element.replaceChildren();
    charts.push(new uPlot({
      width: Math.max(320, element.clientWidth), height: options.height || 340, series, axes: options.axes,
      scales: options.scales, padding: [null, 36, null, null], cursor: { points: { size: 6 } }, hooks: options.hooks || {},
    }, columns, element));
  }

  function spectrum() {
    if (!data.runs.length) return;
    const which = document.getElementById("which").value;
    const relative = document.getElementById("relative").checked;
    const of = run => run.spectra[which === "headline" ? run.headline : which] || data.nines.map(() => null);
    const first = of(data.runs[0]);
    const columns = [data.nines];
    const format = relative ? v => v == null ? "" : v.toFixed(2) + "×" : ms;
    const series = [{ label: "percentile", value: (u, v) => v == null ? "" : percentile(v) }];
    data.runs.forEach((run, i) => {
      columns.push(of(run).map((v, k) => v == null || !(v > 0) ? null : relative ? (first[k] > 0 ? v / first[k] : null) : v));
      series.push({ label: run.label, stroke: colour(i), width: 2, value: (u, v) => format(v) });
    });
    draw(document.getElementById("spectrum"), series, columns, {
      scales: { x: { time: false, distr: 3, range: [1, 1e6] }, y: { distr: relative ? 1 : 3 } },
      axes: [axis("", percentile, { ...decade, size: 40 }), axis(relative ? "times the first run" : "latency", format, relative ? {} : half)],
    });
  }

  function curve() {
    if (!data.curve.length) return;
    const rates = [...new Set(data.curve.flatMap(c => c.points.map(p => p[0])))].sort((a, b) => a - b);
    const columns = [rates];
    const series = [{ label: "offered", value: (u, v) => v == null ? "" : short(v) + "/s" }];
    data.curve.forEach((c, i) => {
      columns.push(rates.map(r => (c.points.find(p => p[0] === r) || [])[1] ?? null));
      series.push({ label: c.client + (c.saturated ? " (saturated at its last)" : ""), stroke: colour(i), width: 2, spanGaps: true, points: { show: true, size: 7 }, value: (u, v) => ms(v) });
    });
    draw(document.getElementById("curve"), series, columns, {
      scales: { x: { time: false, distr: 3 }, y: { distr: 3 } },
      axes: [axis("records per second", short, { ...half, size: 50 }), axis("p99 response", ms, half)],
    });
  }

  // marks draws what happened during the run: a line each, and a band from a beginning to its end.
  const marks = events => ({ draw: [u => {
    const ctx = u.ctx;
    ctx.save(); ctx.strokeStyle = css("--bad"); ctx.fillStyle = css("--bad"); ctx.setLineDash([4, 4]); ctx.textAlign = "left";
    const list = events || [], { left, top, width, height } = u.bbox, inside = x => Math.min(Math.max(x, left), left + width);
    const at = e => u.valToPos(e.t_ns / 1e9, "x", true);
    let row = 0;
    for (const [i, e] of list.entries()) {
      const x = at(e), [, what] = e.detail.match(/^(.*?) begins\b/) || [];
      const end = what && list.slice(i).find(o => o.kind === e.kind && o.detail === what + " ends");
      if (end) {
        ctx.globalAlpha = 0.12; ctx.fillRect(inside(x), top, inside(at(end)) - inside(x), height); ctx.globalAlpha = 1;
      }
      if (x === inside(x)) {
        ctx.beginPath(); ctx.moveTo(x, top); ctx.lineTo(x, top + height); ctx.stroke();
      }
      // Neighbours' words stand below each other.
      if (!e.detail.endsWith(" ends")) ctx.fillText(e.kind + " " + e.detail.replace(/ begins\b/, ""), inside(x) + 4, top + 12 + 14 * (row++ % 4));
    }
    ctx.restore();
  }] });

  function timelines(article) {
    const run = data.runs[article.dataset.run], t = run.timeline;
    if (!t) return;
    const second = { label: "second", value: (u, v) => v == null ? "" : v.toFixed(1) + " s" };
    const positive = list => list.map(v => v > 0 ? v : null);
    $(".timeline", article).forEach(element => {
      const latency = element.dataset.what === "latency";
      draw(element, latency
        ? [second, { label: run.headline + " p50", stroke: colour(0), width: 2, value: (u, v) => ms(v) },
          { label: run.headline + " p99", stroke: colour(1), width: 2, value: (u, v) => ms(v) }]
        : [second, { label: "records/s", stroke: colour(2), width: 2, value: (u, v) => short(v) },
          { label: "processors", stroke: colour(3), width: 2, scale: "cpu", value: (u, v) => v == null ? "" : v.toFixed(2) }],
      latency ? [t.t, positive(t.p50), positive(t.p99)] : [t.t, t.rate, t.cpu], {
        height: 210, hooks: marks(run.events),
        scales: { x: { time: false }, y: latency ? { distr: 3 } : { range: (u, lo, hi) => [0, hi * 1.1 || 1] }, cpu: { range: (u, lo, hi) => [0, hi * 1.1 || 1] } },
        axes: [axis("", v => v + " s", { size: 40 }), axis(latency ? "latency" : "records/s", latency ? ms : short, latency ? half : {}),
          ...(latency ? [] : [axis("processors", v => v.toFixed(1), { scale: "cpu", side: 1, grid: { show: false } })])],
      });
    });
  }

  function show(index) {
    $(".tabs button, article.run").forEach(e => e.classList.toggle("on", e.dataset.run === String(index)));
    redraw();
  }

  function redraw() {
    charts.forEach(c => c.destroy());
    charts = [];
    spectrum();
    curve();
    $("article.run.on").forEach(timelines);
  }

  function save(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text]));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  $(".tabs button").forEach(b => b.addEventListener("click", () => show(Number(b.dataset.run))));
  $(".copy").forEach(b => b.addEventListener("click", () => navigator.clipboard.writeText(b.parentElement.querySelector("code").textContent)));
  $(".save").forEach(b => b.addEventListener("click", () => {
    const run = data.runs[b.closest("article").dataset.run];
    if (b.dataset.kind === "hlog") save("latency.hlog", run.hlog);
    else save("result.json", JSON.stringify(run.result, null, 1));
  }));
  $("#which, #relative").forEach(e => e.addEventListener("change", redraw));
  scheme.addEventListener("change", redraw);
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(redraw, 100); });
  show(0);
})();
