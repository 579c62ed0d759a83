"""How many straight pieces has a ReLU network? Shallow and deep ones, counted exactly (lecture 5: shallow and deep).

    python demos/linear_regions.py

A ReLU is straight but for one bend, so a network of ReLUs is made of straight pieces: of one input they are intervals
between joints, of two inputs regions of the plane. Which units are on there, the activation pattern, names the piece.
One layer of n units has at most n + 1 pieces over a line, and 1 + n + n(n − 1)/2 over a plane. A second layer can bend
each piece again: L layers have up to (n + 1)^L, as a strip of paper that is folded, and folded again. Over a line depth
multiplies, and width only adds.

What to see: networks that reach these numbers, with all joints found. The slide's 161,501 regions of five layers with
ten units each should be 11⁵ = 161,051 (two digits changed places). Its "> 10¹³⁴" for five layers with fifty units is
more than there can be: 250 units are on or off in only 2²⁵⁰ = 1.8·10⁷⁵ ways, and with the slide's 10,801 parameters,
which belong to ten inputs, no network exceeds 4.4·10⁵⁰; the formula in the book that the lecture uses, for what some of
them reach, says 1.8·10⁴¹. And a network with random weights uses next to nothing of it.

Try next (answers in docs/exercises.md):
1. 471 parameters in one hidden layer instead of five: how many units, and how many pieces?
2. Train the random network on sin 6x: does learning make more pieces?
3. What is the largest number of regions of the plane for four lines? And why do three lines through one point make 6?
"""

# %% How many parameters, how many layers?

import math

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.inspect import folding_network, linear_regions, max_linear_regions
from tinygrad_nuc.utils.demo import Demo

demo = Demo("linear_regions", __doc__, seed=3)
args = demo.arguments()


def network(*widths: int) -> nn.Sequential:
    """Linear layers with ReLUs between them: network(1, 3, 1) has one input, three hidden units and one output."""
    parts = [part for n, m in zip(widths, widths[1:], strict=False) for part in (nn.Linear(n, m), nn.ReLU())]
    return nn.Sequential(*parts[:-1]).double()


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


for widths, expected in {(1, 3, 1): 10, (1, 4, 2): 18, (2, 3, 1): 13, (1, 3, 3, 1): 22, (1, *[10] * 5, 1): 471,
                         (10, *[50] * 5, 1): 10_801}.items():
    demo.expect(f"parameters of {'-'.join(map(str, widths))}", parameters(network(*widths)), expected)
shallow, deep = network(10, 5, 2), network(10, 5, 5, 5, 2)              # ShallowNN(10, 5, 2) and DeepNN(10, 5, 2)
demo.say(f"the lecture's deep network is {deep}")
demo.expect("parameters, shallow and deep", [parameters(shallow), parameters(deep)], [67, 127])
demo.expect("linear layers, shallow and deep", [sum(isinstance(part, nn.Linear) for part in model)
                                                for model in (shallow, deep)], [2, 4])

# %% Over a line: joints are computed layer by layer, not looked for, so none is missed

wide = network(1, 4, 2)
with tn.no_grad():                                                      # unit j switches where w x + b = 0: at x = j/5
    wide[0].bias.copy_(-wide[0].weight[:, 0] * tn.tensor([0.2, 0.4, 0.6, 0.8], dtype=tn.float64))
for shape, model, expected in (("1-3-1", folding_network(layers=1, units=3), 4), ("1-4-2", wide, 5),
                               ("1-3-3-1", folding_network(layers=2, units=3), 16)):
    regions = linear_regions(model, 0, 1)
    demo.expect(f"pieces of {shape}, found and possible", [regions.count, regions.upper_bound], [expected, expected])

# Each layer of the folding network goes up and down between 0 and 1, eleven times: the next does so on each piece again
folding = folding_network(layers=5, units=10)
demo.expect("its parameters, five layers of ten", parameters(folding), 471)
regions = linear_regions(folding, 0, 1)
demo.expect("its pieces, found and possible: 11⁵", [regions.count, regions.upper_bound], [161_051, 161_051])
random = network(1, *[10] * 5, 1)
demo.expect("pieces of one of that size with random weights, −100 < x < 100", linear_regions(random, -100, 100).count,
            at_least=10, at_most=200)

# %% Over a plane: three lines that all cross make seven regions, which a fine grid all meets

lines = network(2, 3, 1)
with tn.no_grad():
    lines[0].weight.copy_(tn.tensor([[1, 0], [0, 1], [1, 1]]))          # x₁ = 0, x₂ = 0 and x₁ + x₂ = 1
    lines[0].bias.copy_(tn.tensor([0, 0, -1]))
layered = network(2, 6, 6, 6, 1)
for part in layered:
    if isinstance(part, nn.Linear):
        nn.init.kaiming_normal_(part.weight)
        nn.init.normal_(part.bias)

picture, axes = plots.grid(4, 6.2, 5.2, columns=2)
cut = [plots.activation_regions(lines, -1, 2, ax=axes[0])]
cut += [plots.activation_regions(layered, -3, 3, layer=i, ax=axes[i]) for i in (1, 2, 3)]
demo.save(picture, "regions.png")
demo.expect("regions of 2-3-1, found and possible", [cut[0].patterns, max_linear_regions([3], 2)], [7, 7])
demo.say("a random 2-6-6-6-1: " + "; ".join(f"behind layer {i} {cut[i].patterns} regions, at most "
         f"{max_linear_regions([6] * i, 2):,} possible" for i in (1, 2, 3)))
demo.expect("regions that each next layer adds", np.diff([r.patterns for r in cut[1:]]), at_least=1)

# %% Five layers of fifty units, ten inputs

n, inputs, layers = 50, 10, 5
reached = (n // inputs + 1) ** (inputs * (layers - 1)) * sum(math.comb(n, j) for j in range(inputs + 1))
demo.expect("regions that some of them reach, by the formula, / 10⁴¹", reached / 1e41, 1.8, within=0.05)
demo.expect("regions that none of them exceeds", float(max_linear_regions([n] * layers, inputs)),
            at_least=float(reached), at_most=2.0 ** 250)                # the number of ways to be on or off
one_input = parameters(network(1, *[50] * 5, 1))
demo.say(f"The slide's 10,801 parameters are those of ten inputs; with one input there would be {one_input:,}.")

# %% Picture: fold after fold

picture, axes = plots.grid(4, 6.2, 4.2, columns=2)
for ax, layers in zip(axes, (1, 2, 3), strict=False):
    plots.linear_pieces(folding_network(layers, units=3), 0, 1, ax=ax)
    ax.title.set_text(f"1-{'3-' * layers}1, folding: {ax.get_title()}")
plots.linear_pieces(random, -5, 5, ax=axes[3])
axes[3].title.set_text(f"1-10-10-10-10-10-1, random: {linear_regions(random, -5, 5).count} pieces")
demo.save(picture, "pieces.png")

demo.finish()
