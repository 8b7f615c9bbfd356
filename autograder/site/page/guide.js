// The guide's pictures. Plain JavaScript: no Python is loaded here.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const fixed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

function shape(tag, attributes = {}, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A picture of a plane: x and y are [from, to]. Gives functions from numbers to places. */
function plane(figure, what, x, y, width = 640, height = 300) {
  const picture = shape("svg", { class: "plane", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": what });
  const at = (value, [low, high], from, to) => from + ((value - low) / (high - low)) * (to - from);
  const X = (value) => at(value, x, 40, width - 10), Y = (value) => at(value, y, height - 30, 10);
  const line = (points) => points.map(([a, b], i) => `${i ? "L" : "M"}${X(a).toFixed(1)} ${Y(b).toFixed(1)}`).join("");
  picture.append(shape("path", { class: "axis", d: `M40 10V${height - 30}H${width - 10}`, fill: "none" }));
  figure.append(picture);
  return { picture, X, Y, line, add: (...args) => { const made = shape(...args); picture.append(made); return made; } };
}

/** A slider with its name and value; calls changed(value) whenever it moves. */
function slider(figure, name, { min, max, step, value, digits = 2 }, changed) {
  const label = element("label", `${name} `, { class: "control" }), out = element("output");
  const input = element("input", undefined, { type: "range", min, max, step });
  input.value = value;
  const tell = () => { out.textContent = fixed(Number(input.value), digits); };
  input.addEventListener("input", () => { tell(); changed(Number(input.value)); });
  tell();
  label.append(input, out);
  figure.append(label);
  return () => Number(input.value);
}

function button(figure, name, clicked) {
  const made = element("button", name, { type: "button" });
  made.addEventListener("click", clicked);
  figure.append(made);
  return made;
}

/** A line below a picture that says in words what it shows. */
function words(figure) {
  const line = element("p", "", { class: "said", role: "status" });
  figure.append(line);
  return (text) => { line.textContent = text; };
}

const range = (from, to, count) => Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count);

const PICTURES = {
  descent_picture(figure) {
    const loss = (w) => (w - 2) ** 2;
    const { line, X, Y, picture, add } = plane(figure, "A parabola with the points of twelve steps", [-3, 7], [-1, 26]);
    add("path", { class: "curve", d: line(range(-3, 7, 100).map((w) => [w, loss(w)])) });
    const path = add("path", { class: "path" }), dots = range(0, 12, 12).map(() => add("circle", { class: "mark", r: 4.5 }));
    const draw = (alpha) => {
      const steps = [-1.5];
      for (let i = 0; i < 12; i++) steps.push(steps[i] - alpha * 2 * (steps[i] - 2));
      const seen = steps.map((w) => [Math.max(-3, Math.min(7, w)), Math.min(26, loss(w))]);
      path.setAttribute("d", line(seen));
      dots.forEach((dot, i) => { dot.setAttribute("cx", X(seen[i][0])); dot.setAttribute("cy", Y(seen[i][1])); });
      const end = loss(steps[12]);
      const how = alpha > 1 ? "Each step jumps over the bottom and lands higher: it grows."
        : alpha === 1 ? "It jumps from side to side and gets nowhere." : end > 0.1 ? "It has not arrived yet." : "It has arrived.";
      say(`After twelve steps w = ${fixed(steps[12])} and the loss is ${fixed(end, 3)}. ${how}`);
    };
    const get = slider(figure, "learning rate", { min: 0.01, max: 1.05, step: 0.01, value: 0.3 }, (alpha) => draw(alpha));
    const say = words(figure);
    picture.append(shape("text", { x: 590, y: 294 }, "w"), shape("text", { x: 4, y: 20 }, "loss"));
    draw(get());
  },

  chain_picture(figure) {
    const x = 2, b = -1, y = 1, loss = (w) => (sigmoid(w * x + b) - y) ** 2;
    const { line, X, Y, picture, add } = plane(figure, "The loss against the weight, with its tangent", [-4, 4], [-0.3, 1.3]);
    add("path", { class: "curve", d: line(range(-4, 4, 120).map((w) => [w, loss(w)])) });
    const tangent = add("path", { class: "tangent" }), dot = add("circle", { class: "mark", r: 6 });
    const draw = (w) => {
      const a = sigmoid(w * x + b), slope = 2 * (a - y) * a * (1 - a) * x;
      tangent.setAttribute("d", line([-1, 1].map((d) => [w + d, loss(w) + slope * d])));
      dot.setAttribute("cx", X(w)); dot.setAttribute("cy", Y(loss(w)));
      say(`z = ${fixed(w * x + b)}, a = ${fixed(a, 3)}, loss ${fixed(loss(w), 3)}. Slope: 2 (a − y) · a (1 − a) · x = `
        + `${fixed(2 * (a - y), 3)} · ${fixed(a * (1 - a), 3)} · 2 = ${fixed(slope, 3)}.`
        + (w < -1 ? " The loss is large and yet almost flat: the sigmoid is saturated, and learning is slow." : ""));
    };
    const get = slider(figure, "weight w", { min: -3, max: 3, step: 0.1, value: 0.5, digits: 1 }, (w) => draw(w));
    const say = words(figure);
    picture.append(shape("text", { x: 590, y: 294 }, "w"), shape("text", { x: 4, y: 20 }, "loss"));
    draw(get());
  },

  graph(figure) {
    // u feeds two paths: v = 2u and w = u², which meet in L = v + w.
    const places = { u: [70, 110], v: [250, 50], w: [250, 170], L: [430, 110] };
    const wires = [["u", "v"], ["u", "w"], ["v", "L"], ["w", "L"]];
    const picture = shape("svg", { viewBox: "0 0 500 220", role: "img", "aria-label": "A graph: u leads to v and to w, both lead to L" });
    figure.append(picture);
    const lines = Object.fromEntries(wires.map(([from, to]) => {
      const [[x1, y1], [x2, y2]] = [places[from], places[to]];
      const made = shape("line", { class: "wire", x1: x1 + 52, y1, x2: x2 - 52, y2 });
      picture.append(made);
      return [from + to, made];
    }));
    const formula = { u: "u", v: "v = 2u", w: "w = u²", L: "L = v + w" };
    const boxes = Object.fromEntries(Object.entries(places).map(([name, [x, y]]) => {
      const node = shape("g", { class: "node" }), forth = shape("text", { class: "forth", x, y: y + 6 }), back = shape("text", { class: "back", x, y: y + 24 });
      node.append(shape("rect", { x: x - 52, y: y - 32, width: 104, height: 64, rx: 8 }), shape("text", { x, y: y - 13 }, formula[name]), forth, back);
      picture.append(node);
      return [name, { node, forth, back }];
    }));
    let step = 0;
    const steps = (u) => [
      ["u", "", "forth", u, `Forward: u = ${fixed(u, 0)} is given.`],
      ["v", "uv", "forth", 2 * u, `Forward: v = 2u = ${fixed(2 * u, 0)}.`],
      ["w", "uw", "forth", u * u, `Forward: w = u² = ${fixed(u * u, 0)}.`],
      ["L", "vL wL", "forth", 2 * u + u * u, `Forward: L = v + w = ${fixed(2 * u + u * u, 0)}.`],
      ["L", "", "back", 1, "Back: dL/dL = 1. Here the way back begins."],
      ["v", "vL", "back", 1, "Back: dL/dv = 1, for L = v + w grows as v does."],
      ["w", "wL", "back", 1, "Back: dL/dw = 1 in the same way."],
      ["u", "uv uw", "back", 2 + 2 * u, `Back: u feeds two paths, and their slopes add: dL/du = 1 · 2 + 1 · 2u = ${fixed(2 + 2 * u, 0)}.`],
    ];
    const draw = () => {
      const all = steps(get());
      for (const { node, forth, back } of Object.values(boxes)) { node.classList.remove("now"); forth.textContent = back.textContent = ""; }
      for (const wire of Object.values(lines)) wire.classList.remove("now");
      all.slice(0, step).forEach(([name, , way, value]) => { boxes[name][way].textContent = (way === "back" ? "slope " : "") + fixed(value, 0); });
      if (step) {
        const [name, over] = all[step - 1];
        boxes[name].node.classList.add("now");
        over.split(" ").filter(Boolean).forEach((wire) => lines[wire].classList.add("now"));
      }
      say(step ? `Step ${step} of ${all.length}. ${all[step - 1][4]}` : "Nothing is worked out yet. Take the first step.");
      previous.disabled = step === 0;
      next.disabled = step === all.length;
    };
    const get = slider(figure, "u", { min: -5, max: 5, step: 1, value: 5, digits: 0 }, () => draw());
    const row = element("div", undefined, { class: "buttons" });
    figure.append(row);
    const previous = button(row, "One step back", () => { step--; draw(); }), next = button(row, "Next step", () => { step++; draw(); });
    const say = words(figure);
    draw();
  },

  deep_picture(figure) {
    const { line, picture, add, Y } = plane(figure, "Size of the signal against the number of layers, on a logarithmic axis", [0, 30], [-17, 7]);
    for (const power of [5, 0, -5, -10, -15]) picture.append(shape("text", { x: 2, y: Y(power) + 4 }, `1e${power}`));
    picture.append(shape("text", { x: 500, y: 294 }, "layers on the way back"));
    const curve = add("path", { class: "curve" });
    const draw = (factor) => {
      curve.setAttribute("d", line([[0, 0], [30, Math.max(-17, Math.min(7, 30 * Math.log10(factor)))]]));
      const left = factor ** 30;
      say(`After 30 layers a signal of size 1 is ${left.toExponential(1)}. `
        + (left > 100 ? "It explodes." : left < 1e-6 ? "It has vanished: the first layers learn nothing."
          : left < 0.1 ? "Little is left: the first layers learn slowly." : "It keeps about its size."));
    };
    const get = slider(figure, "factor per layer", { min: 0.3, max: 1.6, step: 0.05, value: 0.8 }, (factor) => draw(factor));
    const say = words(figure);
    draw(get());
  },

  boundary_picture(figure) {
    learner(figure, { sizes: true, what: "Two moons of points and the border that the network has learned between them" });
  },

  special_picture(figure) {
    learner(figure, { sizes: false, what: "Two moons of points and the straight line that one layer has learned" });
  },

  ising_picture(figure) {
    const size = 32, canvas = element("canvas", "", { width: 256, height: 256, role: "img", "aria-label": "32 by 32 spins, up or down" });
    figure.append(canvas);
    const draw = () => {
      const pen = canvas.getContext("2d"), T = get(), random = numbers(3);
      const spins = new Int8Array(size * size).fill(1), at = (i, j) => spins[((i + size) % size) * size + ((j + size) % size)];
      for (let sweep = 0; sweep < 600; sweep++) {
        for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) {
          if ((i + j) % 2 !== sweep % 2) continue;
          const cost = 2 * at(i, j) * (at(i + 1, j) + at(i - 1, j) + at(i, j + 1) + at(i, j - 1));
          if (random() < Math.exp(-cost / T)) spins[i * size + j] *= -1;
        }
      }
      spins.forEach((spin, k) => { pen.fillStyle = spin > 0 ? "#D55E00" : "#0072B2"; pen.fillRect((k % size) * 8, Math.floor(k / size) * 8, 8, 8); });
      const mean = spins.reduce((sum, spin) => sum + spin, 0) / spins.length;
      say(`T = ${fixed(T, 1)}: mean spin ${fixed(mean)}. ${T < 2.269 ? "Below the critical temperature most spins agree." : "Above it the two directions are mixed."}`);
    };
    const get = slider(figure, "temperature T", { min: 1, max: 4, step: 0.1, value: 1.8, digits: 1 }, draw);
    const say = words(figure);
    draw();
  },
};

/** Random numbers from a seed (mulberry32), so that a picture is the same at every visit. */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function moons(count = 140) {
  const random = numbers(42), normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return range(1, count, count - 1).map((i) => {
    const label = i % 2, t = Math.PI * random();
    const [x, y] = label ? [1 - Math.cos(t), 0.5 - Math.sin(t)] : [Math.cos(t), Math.sin(t)];
    return { x: [x + 0.2 * normal(), y + 0.2 * normal()], y: label };
  });
}

/** A network with one layer of tanh units and a sigmoid output, or without a hidden layer; plain gradient descent. */
function network(hidden, loss) {
  const random = numbers(1), draw = () => 2 * random() - 1;
  const W1 = Array.from({ length: hidden }, () => [draw(), draw()]), b1 = W1.map(() => 0);
  const w2 = Array.from({ length: hidden || 2 }, draw);
  let b2 = 0;
  const layer = (x) => (hidden ? W1.map((w, i) => Math.tanh(w[0] * x[0] + w[1] * x[1] + b1[i])) : x);
  const score = (a) => a.reduce((sum, one, i) => sum + w2[i] * one, b2);
  // The slope of each loss by the score, and the loss itself.
  const losses = {
    "cross-entropy": (s, y) => [sigmoid(s) - y, y ? Math.log1p(Math.exp(-s)) : Math.log1p(Math.exp(s))],
    "squared error": (s, y) => [2 * (s - (2 * y - 1)), (s - (2 * y - 1)) ** 2],
    hinge: (s, y) => { const t = 2 * y - 1; return t * s < 1 ? [-t, 1 - t * s] : [0, 0]; },
  };
  return {
    answer: (x) => score(layer(x)),
    /** One step with all points; gives the mean loss before it, and how long the gradient is: at each unit, at the output. */
    step(points, rate) {
      const dW1 = W1.map(() => [0, 0]), db1 = b1.map(() => 0), dw2 = w2.map(() => 0);
      let db2 = 0, total = 0;
      for (const { x, y } of points) {
        const a = layer(x), [error, value] = losses[loss](score(a), y);
        total += value; db2 += error;
        a.forEach((one, i) => {
          dw2[i] += error * one;
          if (!hidden) return;
          const back = error * w2[i] * (1 - one * one);
          dW1[i][0] += back * x[0]; dW1[i][1] += back * x[1]; db1[i] += back;
        });
      }
      const size = rate / points.length;
      W1.forEach((w, i) => { w[0] -= size * dW1[i][0]; w[1] -= size * dW1[i][1]; b1[i] -= size * db1[i]; });
      w2.forEach((_, i) => { w2[i] -= size * dw2[i]; });
      b2 -= size * db2;
      const length = (...parts) => Math.hypot(...parts) / points.length;
      return { loss: total / points.length, units: dW1.map((w, i) => length(...w, db1[i])), output: length(...dw2, db2) };
    },
  };
}

const small = (value) => (value < 0.001 ? value.toExponential(1).replace("e-", " · 10^−") : value.toPrecision(2));

/** Bars on a logarithmic scale, one for each hidden unit; gives a function that sets them. */
function gradients(figure, most) {
  const { X, Y, add } = plane(figure, "The length of the gradient at each hidden unit", [0, most], [-5, 0], 640, 130);
  for (const power of [-4, -3, -2, -1]) add("path", { class: "axis", d: `M${X(0)} ${Y(power)}H${X(most)}` });
  const made = range(0, most - 1, most - 1).map((i) => add("rect", { class: "length", x: X(i + 0.15), width: X(0.7) - X(0) }));
  return (lengths) => made.forEach((bar, i) => {
    const top = Y(Math.min(0, Math.max(-5, Math.log10(lengths[i] || 1e-5))));
    bar.setAttribute("y", top);
    bar.setAttribute("height", Y(-5) - top);
  });
}

function learner(figure, { sizes, what }) {
  const points = moons(), x = [-1.8, 2.8], y = [-1.4, 1.8], columns = 46, rows = 32;
  const { X, Y, add, line } = plane(figure, what, x, y, 640, 420);
  const cells = range(0, columns * rows - 1, columns * rows - 1).map((k) => {
    const width = (x[1] - x[0]) / columns, height = (y[1] - y[0]) / rows;
    const left = x[0] + (k % columns) * width, low = y[0] + Math.floor(k / columns) * height;
    const made = add("rect", { class: "two", x: X(left), y: Y(low + height), width: X(left + width) - X(left) + 0.3, height: Y(low) - Y(low + height) + 0.3 });
    return [made, [left + width / 2, low + height / 2]];
  });
  for (const one of points) add("circle", { class: one.y ? "point first" : "point second", cx: X(one.x[0]), cy: Y(one.x[1]), r: 4 });
  const curve = add("path", { class: "path" });
  let running = 0, epochs = 0, one, last, bars;
  const show = () => {
    for (const [cell, at] of cells) cell.setAttribute("class", one.answer(at) > 0 ? "side first" : "side second");
    const right = points.filter((point) => one.answer(point.x) > 0 === Boolean(point.y)).length;
    const said = `After ${epochs} epochs the loss is ${fixed(last.loss, 3)}, and ${Math.round((100 * right) / points.length)} % of the points are on their side.`;
    if (!sizes) return say(said);
    bars(last.units);
    say(`${said} The gradient has the length ${small(Math.hypot(...last.units))} at the hidden units and ${small(last.output)} at the output.`);
  };
  const train = () => {
    cancelAnimationFrame(running);
    one = sizes ? network(units(), "cross-entropy") : network(0, model.value);
    epochs = 0;
    const most = sizes ? 1500 : 400, rate = sizes ? alpha() : 0.1, history = [];
    const go = () => {
      for (let i = 0; i < (calm ? most : most / 50) && epochs < most; i++, epochs++) { last = one.step(points, rate); history.push(last.loss); }
      show();
      if (sizes) {
        const top = Math.max(...history);
        curve.setAttribute("d", line(history.filter((_, i) => i % 15 === 0).map((value, i) => [x[0] + ((i * 15) / most) * (x[1] - x[0]), y[0] + (value / top) * 0.8])));
      }
      if (epochs < most) running = requestAnimationFrame(go);
    };
    go();
  };
  let units, alpha, model;
  if (sizes) {
    units = slider(figure, "hidden units", { min: 1, max: 12, step: 1, value: 8, digits: 0 }, train);
    alpha = slider(figure, "learning rate", { min: 0.05, max: 3, step: 0.05, value: 1 }, train);
  } else {
    const label = element("label", "loss ", { class: "control" });
    model = element("select");
    model.append(...["squared error", "cross-entropy", "hinge"].map((name) => element("option", name)));
    model.addEventListener("change", train);
    label.append(model);
    figure.append(label);
  }
  const say = words(figure);
  if (sizes) {
    figure.append(element("p", "The line at the bottom is the loss, from left to right. Below, a bar for each hidden unit: how long its part of the gradient is now, from 0.00001 to 1, every line ten times the one before.", { class: "small" }));
    bars = gradients(figure, 12);
  }
  train();
}

/** Each picture is made when it comes near, so that the first paint waits for none. */
const near = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    PICTURES[target.dataset.live](target);
  }
}, { rootMargin: "600px" });
document.querySelectorAll("figure[data-live]").forEach((figure) => near.observe(figure));
