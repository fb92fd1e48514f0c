"""The network: what is padding is not seen, and what is exported computes the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cycles.history import Standard
from jobs.training.model import FaultModel, Served

WINDOW, FEATURES = 16, 5


def model(seed=0, **changed):
    torch.manual_seed(seed)
    sizes = {"width": 8, "heads": 2, "layers": 2, "dropout": 0.1} | changed
    made = FaultModel(FEATURES, WINDOW, **sizes).eval()
    with torch.no_grad():  # far from how it begins, so that every path matters
        for weights in made.parameters():
            weights.add_(torch.randn_like(weights) * 0.3)
    return made


def windows(count=6, seed=1):
    return torch.from_numpy(
        np.random.default_rng(seed).normal(size=(count, WINDOW, FEATURES)).astype(np.float32)
    )


def told(made, x, valid):
    with torch.inference_mode():
        return made(x, torch.as_tensor(valid)).numpy()


VALID = [1, 2, 5, 15, 16, 9]


def test_it_tells_log_probabilities():
    log = told(model(), windows(), VALID)
    assert log.shape == (6, 2)
    np.testing.assert_allclose(np.exp(log).sum(1), 1, rtol=1e-6)


def test_what_stands_in_padded_rows_does_not_matter():
    made, x = model(), windows()
    expected = told(made, x, VALID)
    other = x.clone()
    for k, valid in enumerate(VALID):
        other[k, : WINDOW - valid] = torch.randn(WINDOW - valid, FEATURES) * 1e3
    np.testing.assert_array_equal(told(made, other, VALID), expected)
    for k, valid in enumerate(VALID):
        other[k, : WINDOW - valid] = 0
    np.testing.assert_array_equal(told(made, other, VALID), expected)


def test_padding_may_be_permuted_and_real_cycles_may_not():
    made, x = model(), windows()
    expected = told(made, x, VALID)
    shuffled = x.clone()
    for k, valid in enumerate(VALID):
        order = torch.randperm(WINDOW - valid)
        shuffled[k, : WINDOW - valid] = x[k, : WINDOW - valid][order]
    np.testing.assert_array_equal(told(made, shuffled, VALID), expected)
    backwards = x.flip(1)
    assert np.abs(told(made, backwards, [16] * 6) - told(made, x, [16] * 6)).max() > 1e-3


def test_every_real_cycle_matters_also_the_oldest():
    made, x = model(), windows()
    before = told(made, x, VALID)
    for k, valid in enumerate(VALID):
        changed = x.clone()
        changed[k, WINDOW - valid] += 1
        after = told(made, changed, VALID)
        assert np.abs(after[k] - before[k]).max() > 1e-6
        others = [j for j in range(6) if j != k]
        np.testing.assert_allclose(after[others], before[others], atol=1e-6)


def test_a_window_is_judged_alike_alone_and_among_others():
    made, x = model(), windows()
    together = told(made, x, VALID)
    for k, valid in enumerate(VALID):
        np.testing.assert_allclose(
            told(made, x[k : k + 1], [valid])[0], together[k], rtol=1e-5, atol=1e-6
        )


def test_attention_is_that_of_a_plain_loop():
    """One block, one head, written out."""
    made = model(layers=1, heads=1)
    x, valid = windows(1), 5
    block = made.blocks[0]
    with torch.inference_mode():
        rows = (made.cycle(torch.cat([x, x.abs()], -1)) + made.position)[0, -valid:]
        q, k, v = block.attention(block.before_attention(rows)).split(8, dim=-1)
        seen = torch.stack([
            sum(w * v[j] for j, w in enumerate(
                torch.softmax(torch.stack([q[i] @ k[j] / math.sqrt(8) for j in range(valid)]), 0)
            )) for i in range(valid)
        ])  # fmt: skip
        rows = rows + block.after_attention(seen)
        rows = rows + block.forward_part(rows)
        expected = torch.log_softmax(made.classifier(rows.mean(0)), 0)
    np.testing.assert_allclose(told(made, x, [valid])[0], expected.numpy(), atol=1e-5)


def test_input_dropout_blinds_a_feature_all_along_a_window_and_only_while_learning():
    made = model(input_dropout=0.5, dropout=0.0)
    seen = []
    made.cycle.register_forward_hook(
        lambda _, given, __: seen.append(given[0].reshape(64, WINDOW, 2 * FEATURES))
    )
    x = torch.ones(64, WINDOW, FEATURES)
    told(made, x, [16] * 64)
    made.train()
    made(x, torch.full((64,), 16))
    judged, learned = seen
    assert (judged == 1).all()
    assert (learned == learned[:, :1]).all()
    assert set(learned.unique().tolist()) == {0.0, 2.0}
    assert 0.35 < float((learned == 0).float().mean()) < 0.65


@settings(max_examples=100, deadline=None)
@given(
    hnp.arrays(np.float32, (4, FEATURES), elements=st.floats(-1e5, 1e5, width=32)),
    hnp.arrays(np.float64, FEATURES, elements=st.floats(-1e4, 1e4)),
    hnp.arrays(np.float64, FEATURES, elements=st.floats(0, 1e3)),
)
def test_the_exported_model_narrows_to_the_last_bit_as_the_dataset_does(values, centre, spread):
    standard = Standard.of(centre, spread)
    kept = []

    class Keeps(torch.nn.Module):
        def forward(self, near, _):
            kept.append(near)
            return near

    with torch.inference_mode():
        Served(Keeps(), standard)(torch.from_numpy(values[None]), torch.tensor([4]))
    expected = standard.apply(values)
    assert kept[0][0].numpy().astype(np.float16).tobytes() == expected.tobytes()
    np.testing.assert_array_equal(kept[0][0].numpy(), expected)
    assert kept[0].dtype == torch.float32


def test_heads_must_divide_the_width():
    with pytest.raises(RuntimeError):
        told(model(width=8, heads=3), windows(), VALID)
