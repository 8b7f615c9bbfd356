"""Other solutions of reaction_rates: right ones in another style, and wrong ones with what they must cost."""

from autograder.audit import right, wrong

_DEEP = '''
def train_design(X_train, k_train, X_test, seed):
    rng = np.random.default_rng(seed)
    sizes = [6, 32, 16, 1]
    W = [rng.normal(size=(o, i)) / np.sqrt(i) / 2 for i, o in zip(sizes, sizes[1:])]
    b = [np.zeros((o, 1)) for o in sizes[1:]]
    mu, sd = X_train.mean(1, keepdims=True), X_train.std(1, keepdims=True)
    Y = (np.log10(k_train) + 9) / 18
    V = [0] * 6
    for epoch in range(2500):
        A = [(X_train - mu) / sd]
        for layer in range(2):
            A.append(np.tanh(W[layer] @ A[-1] + b[layer]))
        out = W[2] @ A[2] + b[2]
        E = 2 * (out - Y) / Y.shape[1]
        gradients = []
        for layer in (2, 1, 0):
            gradients.insert(0, (E @ A[layer].T, E.sum(1, keepdims=True)))
            E = (W[layer].T @ E) * (1 - A[layer] ** 2)
        for layer, (dW, db) in enumerate(gradients):
            V[layer], V[layer + 3] = 0.9 * V[layer] + dW, 0.9 * V[layer + 3] + db
            W[layer], b[layer] = W[layer] - 0.3 * V[layer], b[layer] - 0.3 * V[layer + 3]
    A = (X_test - mu) / sd
    for layer in range(2):
        A = np.tanh(W[layer] @ A + b[layer])
    return 10 ** ((W[2] @ A + b[2]) * 18 - 9), [W[0], b[0], W[1], b[1], W[2], b[2]]
'''

_SIGMOIDS = '''
def train_design(X_train, k_train, X_test, seed):
    centre, width = X_train.mean(axis=1, keepdims=True), X_train.std(axis=1, keepdims=True)
    network = SimpleNeuralNetwork(6, 10, 1, rng=seed, weight_scale=0.5)
    network.train((X_train - centre) / width, (np.log10(k_train) + 9) / 18, epochs=4000, learning_rate=5.0)
    predicted = network.forward_pass((X_test - centre) / width)
    return 10 ** (18 * predicted - 9), (network.W1, network.b1.ravel(), network.W2, network.b2.ravel())
'''

_FIVE = '''[
        {"name": "temperature", "unit": "K"},
        {"name": "energy of the weakest bond", "unit": "kJ/mol"},
        {"name": "pre-exponential factor", "unit": "1/s"},
        {"name": "dipole moment", "unit": "Debye"},
        {"name": "number of hydrogen bonds", "unit": "1"},
    ]'''

RIGHT = (
    right(
        "momentum",
        "the network of the record with momentum, so that a few hundred epochs are enough",
        training='''
def train_design(X_train, k_train, X_test, seed):
    centre, width = X_train.mean(axis=1, keepdims=True), X_train.std(axis=1, keepdims=True)
    X, Y = (X_train - centre) / width, np.log10(k_train)
    middle, scale = Y.mean(), Y.std()
    network = SimpleNeuralNetwork(6, 16, 1, rng=seed, weight_scale=0.15)
    parameters = [network.W1, network.b1, network.W2, network.b2]
    moved = [0, 0, 0, 0]
    for _ in range(400):
        W1, b1, W2, b2 = parameters
        A1 = np.tanh(W1 @ X + b1)
        dZ2 = 2 * (W2 @ A1 + b2 - (Y - middle) / scale) / Y.shape[1]
        dZ1 = (W2.T @ dZ2) * (1 - A1**2)
        gradients = (dZ1 @ X.T, dZ1.sum(axis=1, keepdims=True), dZ2 @ A1.T, dZ2.sum(axis=1, keepdims=True))
        moved = [0.95 * before - 0.2 * gradient for before, gradient in zip(moved, gradients)]
        parameters = [parameter + step for parameter, step in zip(parameters, moved)]
    W1, b1, W2, b2 = parameters
    predicted = W2 @ np.tanh(W1 @ ((X_test - centre) / width) + b1) + b2
    return 10 ** (predicted * scale + middle), parameters
''',
    ),
    right(
        "deep-tanh",
        "two tanh layers with momentum, written with lists, log10+minmax, numbers as numpy integers, tuples",
        record=f'''
design = {{
    "features": {_FIVE},
    "hidden": ({{"units": np.int64(32), "activation": "Tanh"}}, {{"units": 16, "activation": "tanh"}}),
    "output": {{"units": 1, "activation": "linear"}},
    "weight_shapes": [np.zeros((32, 5)).shape, (16, 32), (1, 16)],
    "parameters": np.int64((32 * 5 + 32) + (16 * 32 + 16) + (16 + 1)),
    "target_transform": "log10 + minmax",
    "loss": "MSE",
}}
''',
        training=_DEEP,
    ),
    right(
        "sigmoid-and-cross-entropy",
        "the baseline as it is on a target between 0 and 1: unusual and consistent",
        record=f'''
design = dict(features={_FIVE}, hidden=[dict(units=10, activation="sigmoid")], output=dict(units=1, activation="sigmoid"),
              weight_shapes=[[10, 5], [1, 10]], parameters=71, target_transform="log10+minmax", loss="bce")
''',
        training=_SIGMOIDS,
    ),
    right(
        "silly-but-consistent",
        "units that nobody knows, untransformed target, linear layers: left to the person",
        record='''
design = {
    "features": [{"name": f"feature {i}", "unit": "banana"} for i in range(5)],
    "hidden": [{"units": 16, "activation": "linear"}],
    "output": {"units": 1, "activation": "linear"},
    "weight_shapes": [[16, 5], [1, 16]],
    "parameters": 113,
    "target_transform": "none",
    "loss": "mae",
}
''',
    ),
    right(
        "adam-dataclass",
        "a dataclass with ReLU layers, trained with Adam; lists and tuples",
        record='''
features = [dict(name=n, unit=u) for n, u in [("T", "K"), ("E_HOMO", "eV"), ("dipole", "D"), ("c", "mol/L"), ("eps", ""), ("M", "g/mol")]]
features[4]["unit"] = "dimensionless"
design = dict(features=features, hidden=[{"units": 16, "activation": "ReLU"}, {"units": 8.0, "activation": "relu"}],
  output={"units": 1, "activation": "Linear"}, weight_shapes=[[16, 6], [8, 16], [1, 8]], parameters=16*6+16+8*16+8+8+1,
  target_transform="log10+standardise", loss="MSE")
''',
        training='''
import dataclasses
@dataclasses.dataclass
class Net:
    W: list
    b: list
    def out(self, X):
        a = X
        self.acts = [a]
        for i, (w, b) in enumerate(zip(self.W, self.b)):
            z = w @ a + b
            a = np.maximum(z, 0) if i < len(self.W) - 1 else z
            self.acts.append(a)
        return a
def train_design(X_train: np.ndarray, k_train, X_test, seed: int = 0):
    rng = np.random.RandomState(seed)
    mu, sd = X_train.mean(1, keepdims=True), X_train.std(1, keepdims=True)
    t = np.log10(k_train); c, s = t.mean(), t.std()
    sizes = [6, 16, 8, 1]
    net = Net([rng.randn(o, i) * np.sqrt(2 / i) for i, o in zip(sizes, sizes[1:])], [np.zeros((o, 1)) for o in sizes[1:]])
    m, v = {}, {}
    Y, X = (t - c) / s, (X_train - mu) / sd
    for step in range(1, 1501):
        d = 2 * (net.out(X) - Y) / Y.size
        grads = []
        for i in (2, 1, 0):
            grads.append((i, d @ net.acts[i].T, d.sum(1, keepdims=True)))
            if i:
                d = (net.W[i].T @ d) * (net.acts[i] > 0)
        for i, gW, gb in grads:
            for key, p, g in ((("W", i), net.W[i], gW), (("b", i), net.b[i], gb)):
                m[key] = .9 * m.get(key, 0) + .1 * g
                v[key] = .999 * v.get(key, 0) + .001 * g * g
                p *= 1 - 0.001  # weight decay
                p -= 0.01 * (m[key] / (1 - .9 ** step)) / (np.sqrt(v[key] / (1 - .999 ** step)) + 1e-8)
    params = []
    for w, b in zip(net.W, net.b): params += [w, b]
    return (10 ** (net.out((X_test - mu) / sd) * s + c)).tolist(), tuple(params)
''',
    ),
)


_PREDICTS = "    predicted = network.forward_pass((X_test - centre) / width) * log_k.std() + log_k.mean()"

_LEAST_SQUARES = (
    _PREDICTS,
    "    rows = lambda X: np.vstack([(X - centre) / width, np.ones((1, X.shape[1]))]).T\n"
    "    predicted = (rows(X_test) @ np.linalg.lstsq(rows(X_train), log_k[0])[0])[None]",
)


def _record(variant_id, title, old, new, loses, named=None):
    """A wrong record that differs in one place."""
    return wrong(variant_id, title, edits={"record": [(old, new)]}, loses=loses, named=named)


WRONG = (
    wrong(
        "four-features",
        "one feature too few",
        edits={"record": [
            ('        {"name": "concentration of the catalyst", "unit": "mol/L"},\n', ""),
            ('        {"name": "relative permittivity of the solvent", "unit": "1"},\n', ""),
            ('        {"name": "dipole moment", "unit": "D"},\n', ""),
            ("[[16, 7], [1, 16]]", "[[16, 4], [1, 16]]"),
            ("16 * 7 + 16", "16 * 4 + 16"),
        ]},
        loses={"features_record.features": 1},
        named={"features_record.features": "too-few-features"},
    ),
    wrong(
        "the-same-feature-five-times",
        "names that come twice count once",
        cells={"record": (
            'design = {"features": [{"name": "temperature", "unit": "K"}, {"name": " Temperature", "unit": "K"}] * 3,\n'
            '          "hidden": [{"units": 16, "activation": "tanh"}], "output": {"units": 1, "activation": "linear"},\n'
            '          "weight_shapes": [[16, 6], [1, 16]], "parameters": 129, "target_transform": "log10", "loss": "mse"}\n'
        )},
        loses={"features_record.features": 2, "features_record.molecular": 1},
        named={"features_record.features": "too-few-features"},
    ),
    wrong(
        "conditions-for-molecules",
        "six rows of the data set and one property of a molecule",
        edits={"record": [
            ('"energy of the weakest bond", "unit": "kJ/mol"', '"activation energy", "unit": "kJ/mol"'),
            ('"energy of the highest occupied orbital", "unit": "eV"', '"pre-exponential factor", "unit": "1/s"'),
            ('"dipole moment", "unit": "D"', '"ionic strength", "unit": "mol/L"'),
        ]},
        loses={"features_record.molecular": 1},
        named={"features_record.molecular": "conditions-for-molecules"},
    ),
    wrong(
        "rate-as-feature",
        "the target is among the five features",
        cells={"record": (
            'design = {"features": [{"name": n, "unit": "1"} for n in ("charge", "size", "mass", "T", "Reaction rate")],\n'
            '          "hidden": [{"units": 16, "activation": "tanh"}], "output": {"units": 1, "activation": "linear"},\n'
            '          "weight_shapes": [[16, 5], [1, 16]], "parameters": 113, "target_transform": "log10", "loss": "mse"}\n'
        )},
        loses={"features_record.features": 1},
        named={"features_record.features": "too-few-features"},
    ),
    _record("unit-missing", "a feature without a unit", '{"name": "molar mass", "unit": "g/mol"}', '{"name": "molar mass"}',
            {"features_record.units": 1}, {"features_record.units": "unit-missing"}),
    wrong(
        "names-only",
        "features as plain texts",
        cells={"record": (
            'design = {"features": ["T", "Ea", "A", "c", "eps"],\n'
            '          "hidden": [{"units": 16, "activation": "tanh"}], "output": {"units": 1, "activation": "linear"},\n'
            '          "weight_shapes": [[16, 5], [1, 16]], "parameters": 113, "target_transform": "log10", "loss": "mse"}\n'
        )},
        loses={"features_record": 4, "layers_record.weight_shapes": 2},
    ),
    _record("two-outputs", "two output units: everything that follows is consistent", '"output": {"units": 1, "activation": "linear"},\n    "weight_shapes": [[16, 7], [1, 16]],\n    "parameters": (16 * 7 + 16) + (1 * 16 + 1)',
            '"output": {"units": 2, "activation": "linear"},\n    "weight_shapes": [[16, 7], [2, 16]],\n    "parameters": (16 * 7 + 16) + (2 * 16 + 2)',
            {"layers_record.layers": 1, "trained_design.as_designed": 1}, {"layers_record.layers": "wrong-number-of-outputs"}),
    _record("unknown-output-activation", "an output activation that does not exist: what it reaches cannot be checked",
            '"output": {"units": 1, "activation": "linear"}', '"output": {"units": 1, "activation": "lineal"}',
            {"target_record.output_reaches": 2}),
    _record("unknown-activation", "an unknown word for the hidden activation costs itself",
            '"units": 16, "activation": "tanh"', '"units": 16, "activation": "hyperbolic tangent"',
            {"layers_record.layers": 1}, {"layers_record.layers": "unknown-activation"}),
    _record("logarithm-of-the-rate-as-feature", "the target in another form", '"name": "molar mass", "unit": "g/mol"',
            '"name": "log k", "unit": "1"', {"features_record.features": 1},
            {"features_record.features": "target-as-feature"}),
    _record("half-life-as-feature", "the target in another form", '"name": "molar mass", "unit": "g/mol"',
            '"name": "half-life of the reaction", "unit": "s"', {"features_record.features": 1},
            {"features_record.features": "target-as-feature"}),
    _record("transform-not-as-stated", "trained on the logarithm, which the record does not say",
            '"target_transform": "log10+standardise"', '"target_transform": "none"',
            {"trained_design.as_designed": 1}, {"trained_design.as_designed": "not-as-designed"}),
    wrong(
        "parameters-in-another-order",
        "both weights, then both biases",
        edits={"training": [("network.W1, network.b1, network.W2, network.b2", "network.W1, network.W2, network.b1, network.b2")]},
        loses={"trained_design.as_designed": 1},
        named={"trained_design.as_designed": "not-as-designed"},
    ),
    wrong(
        "scaled-by-new-data",
        "the new examples are standardised by their own mean and width",
        edits={"training": [("network.forward_pass((X_test - centre) / width)",
                             "network.forward_pass((X_test - X_test.mean(1, keepdims=True)) / X_test.std(1, keepdims=True))")]},
        loses={"trained_design.fit": (1.5, 3)},
        named={"trained_design.fit": "scaled-by-new-data"},
    ),
    _record("transposed", "every shape transposed", "[[16, 7], [1, 16]]", "[[7, 16], [16, 1]]",
            {"layers_record.weight_shapes": 2}, {"layers_record.weight_shapes": "result-transposed"}),
    _record("output-layer-forgotten", "no shape for the output layer", "[[16, 7], [1, 16]]", "[[16, 7]]",
            {"layers_record.weight_shapes": 2}, {"layers_record.weight_shapes": "layer-missing"}),
    wrong(
        "six-inputs-in-the-shape",
        "the shapes belong to another number of features; the count follows from them",
        edits={"record": [("[[16, 7], [1, 16]]", "[[16, 6], [1, 16]]"), ("(16 * 7 + 16)", "(16 * 6 + 16)")]},
        loses={"layers_record.weight_shapes": 2},
        named={"layers_record.weight_shapes": "shapes-do-not-fit"},
    ),
    _record("no-biases", "weights only, which is also the hidden layer alone: not named", "(16 * 7 + 16) + (1 * 16 + 1)",
            "16 * 7 + 1 * 16", {"layers_record.parameters": 2}, {"layers_record.parameters": ()}),
    wrong(
        "no-biases-in-three-layers",
        "weights only",
        edits={"record": [
            ('[{"units": 16, "activation": "tanh"}]', '[{"units": 16, "activation": "tanh"}, {"units": 4, "activation": "tanh"}]'),
            ("[[16, 7], [1, 16]]", "[[16, 7], [4, 16], [1, 4]]"),
            ("(16 * 7 + 16) + (1 * 16 + 1)", "16 * 7 + 4 * 16 + 1 * 4"),
        ]},
        loses={"layers_record.parameters": 2, "trained_design.as_designed": 1},
        named={"layers_record.parameters": "biases-not-counted", "trained_design.as_designed": "not-as-designed"},
    ),
    _record("one-bias-per-layer", "one bias for each layer", "(16 * 7 + 16) + (1 * 16 + 1)", "16 * 7 + 1 + 16 + 1",
            {"layers_record.parameters": 2}, {"layers_record.parameters": "one-bias-per-layer"}),
    _record("miscounted", "a slip in the sum", "(16 * 7 + 16) + (1 * 16 + 1)", "144", {"layers_record.parameters": 2}),
    _record("sigmoid-output", "a sigmoid output for the logarithm", '"output": {"units": 1, "activation": "linear"}',
            '"output": {"units": 1, "activation": "sigmoid"}', {"target_record.output_reaches": 2},
            {"target_record.output_reaches": "output-cannot-reach-target"}),
    wrong(
        "relu-output",
        "a ReLU output for a logarithm that may be negative",
        edits={"record": [('"output": {"units": 1, "activation": "linear"}', '"output": {"units": 1, "activation": "relu"}'),
                          ('"log10+standardise"', '"log10"')]},
        loses={"target_record.output_reaches": 2},
        named={"target_record.output_reaches": "output-cannot-reach-target"},
    ),
    _record("unknown-transform", "a transform that is not in the list", '"log10+standardise"', '"square root"',
            {"target_record.output_reaches": 2}),
    _record("cross-entropy", "a loss for classes", '"loss": "mse"', '"loss": "ce"', {"target_record.loss": 1},
            {"target_record.loss": "classification-loss-for-regression"}),
    _record("bce-with-linear", "binary cross-entropy of a number that is no probability", '"loss": "mse"', '"loss": "bce"',
            {"target_record.loss": 1}, {"target_record.loss": "classification-loss-for-regression"}),
    wrong(
        "keys-missing",
        "shapes and loss are left out; the count is right all the same",
        edits={"record": [('    "weight_shapes": [[16, 7], [1, 16]],\n', ""), ('    "loss": "mse",\n', "")]},
        loses={"layers_record.weight_shapes": 2, "target_record.loss": 1},
    ),
    wrong(
        "not-a-record",
        "a text instead of a record",
        cells={"record": 'design = "a network with 16 tanh units"'},
        loses={"features_record": 4, "layers_record": 5, "target_record": 3, "trained_design.as_designed": 1},
    ),
    wrong(
        "another-network",
        "12 units are trained, 16 are stated",
        edits={"training": [("RateNetwork(6, 16, 1", "RateNetwork(6, 12, 1")]},
        loses={"trained_design.as_designed": 1},
        named={"trained_design.as_designed": "not-as-designed"},
    ),
    wrong(
        "logarithms-returned",
        "the transform is not undone",
        edits={"training": [("return 10**predicted,", "return predicted,")]},
        loses={"trained_design.fit": 3},
        named={"trained_design.fit": "rates-not-positive"},
    ),
    wrong(
        "natural-exponential",
        "undone with e instead of 10",
        edits={"training": [("return 10**predicted,", "return np.exp(predicted),")]},
        loses={"trained_design.fit": 3},
    ),
    wrong(
        "inputs-not-scaled",
        "raw inputs: the hidden units saturate and the mean is learned",
        edits={"training": [("network.train((X_train - centre) / width", "network.train(X_train"),
                            ("network.forward_pass((X_test - centre) / width)", "network.forward_pass(X_test)")]},
        loses={"trained_design.fit": 3},
    ),
    wrong(
        "too-few-epochs",
        "training stops early: half of the points",
        edits={"training": [("epochs=2000", "epochs=8")]},
        loses={"trained_design.fit": 1.5},
    ),
    wrong(
        "diverges",
        "the learning rate is too large",
        edits={"training": [("learning_rate=0.2", "learning_rate=5.0")]},
        loses={"trained_design.fit": 3},
        named={"trained_design.fit": "training-diverged"},
    ),
    wrong(
        "parameters-not-returned",
        "only the predictions are returned",
        edits={"training": [("return 10**predicted, [network.W1, network.b1, network.W2, network.b2]", "return 10**predicted")]},
        loses={"trained_design": 4},
        statuses={"trained_design": "raised"},
    ),
    _record(
        "target-among-the-features",
        "six features, and the rate constant as a seventh",
        '"name": "molar mass", "unit": "g/mol"',
        '"name": "rate constant", "unit": "1/s"',
        {"features_record.features": 1},
        {"features_record.features": "target-as-feature"},
    ),
    wrong(
        "least-squares",
        "a linear formula predicts; the network is returned as it was drawn",
        edits={"training": [
            ("    network.train((X_train - centre) / width, target, epochs=2000, learning_rate=0.2)\n", ""),
            _LEAST_SQUARES,
        ]},
        loses={"trained_design": 4},
        named={"trained_design.as_designed": "not-from-training", "trained_design.fit": "not-from-training"},
    ),
    wrong(
        "least-squares-beside-a-training",
        "the network is trained, and a linear formula predicts",
        edits={"training": [_LEAST_SQUARES]},
        loses={"trained_design": 4},
        named={"trained_design.as_designed": "not-from-training", "trained_design.fit": "not-from-training"},
    ),
    wrong(
        "law-for-network",
        "the stated law predicts, and not the network",
        edits={"training": [
            (_PREDICTS,
             "    T, Ea, log_A, c, eps, ionic = X_test\n"
             "    barrier = Ea - 15 * c / (c + 0.02) + 20 / eps\n"
             "    predicted = (log_A - barrier / (np.log(10) * 8.314e-3 * T) + 1.02 * np.sqrt(ionic))[None]"),
        ]},
        loses={"trained_design": 4},
        named={"trained_design.as_designed": "not-from-training", "trained_design.fit": "not-from-training"},
    ),
)

ALLOWED = {
    "two-outputs": "the record is wrong, and the training is not what it says: both are asked for",
    "parameters-not-returned": "both lines are about the parameters",
    "train_design ignores seed": "what is asked of a training does not depend on its start",
    "least-squares-beside-a-training": "no network was trained",
    "law-for-network": "no network was trained",
}

UNPLACED = {
    "four-features": "a statement in a record: nothing is worked out",
    "the-same-feature-five-times": "a statement in a record: nothing is worked out",
    "rate-as-feature": "a statement in a record: nothing is worked out",
    "conditions-for-molecules": "a statement in a record: nothing is worked out",
    "unit-missing": "a statement in a record: nothing is worked out",
    "names-only": "a statement in a record: nothing is worked out",
    "two-outputs": "a statement in a record: nothing is worked out",
    "unknown-output-activation": "a statement in a record: nothing is worked out",
    "unknown-activation": "a statement in a record: nothing is worked out",
    "logarithm-of-the-rate-as-feature": "a statement in a record: nothing is worked out",
    "half-life-as-feature": "a statement in a record: nothing is worked out",
    "transform-not-as-stated": "a statement in a record: nothing is worked out",
    "transposed": "a statement in a record: nothing is worked out",
    "output-layer-forgotten": "a statement in a record: nothing is worked out",
    "six-inputs-in-the-shape": "a statement in a record: nothing is worked out",
    "no-biases": "a statement in a record: nothing is worked out",
    "no-biases-in-three-layers": "a statement in a record: nothing is worked out",
    "one-bias-per-layer": "a statement in a record: nothing is worked out",
    "miscounted": "a statement in a record: nothing is worked out",
    "sigmoid-output": "a statement in a record: nothing is worked out",
    "relu-output": "a statement in a record: nothing is worked out",
    "unknown-transform": "a statement in a record: nothing is worked out",
    "cross-entropy": "a statement in a record: nothing is worked out",
    "bce-with-linear": "a statement in a record: nothing is worked out",
    "keys-missing": "a statement in a record: nothing is worked out",
    "not-a-record": "a statement in a record: nothing is worked out",
    "target-among-the-features": "a statement in a record: nothing is worked out",
    "another-network": "the record and the training say different things; either may be meant",
    "scaled-by-new-data": "any choice that learns the rates is right: no value is due",
    "logarithms-returned": "any choice that learns the rates is right: no value is due",
    "natural-exponential": "any choice that learns the rates is right: no value is due",
    "inputs-not-scaled": "any choice that learns the rates is right: no value is due",
    "too-few-epochs": "any choice that learns the rates is right: no value is due",
    "diverges": "any choice that learns the rates is right: no value is due",
    "least-squares": "another method stands where a network is due",
    "least-squares-beside-a-training": "another method stands where a network is due",
    "law-for-network": "another method stands where a network is due",
}

QUICK = "momentum"
