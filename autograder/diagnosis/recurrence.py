"""A recurrent network over some time steps, with known slips."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.diagnosis.blocks import slip
from autograder.diagnosis.spec import Array
from autograder.diagnosis.tape import Step, Values


def recurrence(v: Values) -> list[Step]:
    """h_t = tanh(x_t Wx + h_(t-1) Wh + b) for x of (steps, m, n); ``g`` belongs to all states or to the last one."""
    count = len(v["x"])
    if v["x"].ndim != 3 or v["Wx"].shape != (v["x"].shape[2], v["Wh"].shape[0]) or v["Wh"].shape[0] != v["Wh"].shape[1]:
        raise ValueError(
            f"x has shape {v['x'].shape}, Wx {v['Wx'].shape} and Wh {v['Wh'].shape}; (steps, examples, inputs), "
            "(inputs, units) and (units, units) were expected"
        )
    if v["h0"].shape != (v["x"].shape[1], v["Wh"].shape[0]):
        raise ValueError(f"h0 has shape {v['h0'].shape}; (examples, units) were expected")
    every = v["g"].ndim == 3
    takes = ("x", "h0", "Wx", "Wh", "b") if "b" in v else ("x", "h0", "Wx", "Wh")

    def states(v: Values) -> list[Array]:
        h = [v["h0"]]
        for t in range(count):
            h.append(np.tanh(v["x"][t] @ v["Wx"] + h[-1] @ v["Wh"] + v.get("b", 0.0)))
        return h

    def forward(v: Values) -> Array:
        h = states(v)
        return np.stack(h[1:]) if every else h[-1]

    def back(
        v: Values, g: Array, *, through: bool = True, slope: Callable[[Array], Array] = lambda h: 1 - h**2,
        carry: Callable[[Values, Array, Array], Array] = lambda v, d, up: d @ v["Wh"].T, kept: str = "all",
        previous: int = 0, upstream: str = "all", share: float = 1.0, bias: str = "sum",
    ) -> list[Array]:  # fmt: skip
        h = states(v)
        made = {n: np.zeros_like(v[n], float) for n in takes}
        next_ = np.zeros_like(h[0])
        for t in reversed(range(count)):
            given = (
                g[t] if every and (upstream == "all" or t == count - 1) else g if not every and t == count - 1 else 0.0
            )
            up = given + next_
            d = up * slope(h[t + 1])
            parts = {"Wx": v["x"][t].T @ d, "Wh": h[t + previous].T @ d, "b": d.sum(axis=0)}
            for n, part in parts.items():
                if n in made and (kept == "all" or t == (0 if kept == "first" else count - 1)):
                    made[n] = made[n] + part * share
            made["x"][t] = d @ v["Wx"].T
            next_ = carry(v, d, up) if through or t == 0 else np.zeros_like(h[0])
        made["h0"] = next_
        return [made[n] for n in takes]

    slips = [
        slip("rnn-not-through-time", lambda v, g: back(v, g, through=False)),
        slip("rnn-gradient-overwritten", lambda v, g: back(v, g, kept="first"), "the-first-step-is-left"),
        slip("rnn-gradient-overwritten", lambda v, g: back(v, g, kept="last"), "the-last-step-is-left"),
        slip("activation-derivative-missing", lambda v, g: back(v, g, slope=lambda h: np.ones_like(h))),
        slip("derivative-at-activation", lambda v, g: back(v, g, slope=lambda h: 1 - np.tanh(h) ** 2)),
        slip("sigmoid-derivative-with-tanh", lambda v, g: back(v, g, slope=lambda h: h * (1 - h))),
        slip("square-missing", lambda v, g: back(v, g, slope=lambda h: 1 - h)),
        slip("weights-not-transposed", lambda v, g: back(v, g, carry=lambda v, d, up: d @ v["Wh"])),
        slip(
            "rnn-derivative-missing-in-what-is-carried", lambda v, g: back(v, g, carry=lambda v, d, up: up @ v["Wh"].T)
        ),
        slip("weights-missing-in-hidden-error", lambda v, g: back(v, g, carry=lambda v, d, up: d)),
        slip("rnn-state-after-for-state-before", lambda v, g: back(v, g, previous=1)),
        slip("rnn-averaged-over-steps", lambda v, g: back(v, g, share=1 / count)),
    ]
    if every:
        slips.append(slip("rnn-only-the-last-upstream", lambda v, g: back(v, g, upstream="last")))
    return [Step("out", takes, forward, back, tuple(slips), "the recurrence")]
