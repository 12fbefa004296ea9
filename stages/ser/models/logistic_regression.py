"""Logistic regression with more features than examples: scikit-learn's model, found in the space of the examples.

With an L2 penalty the coefficients of a class are a sum of examples, W = Xᵀ A. All that a solver has to know of
thousands of features is then G = X Xᵀ, once: a step costs a product with G, a quarter of two with X. It is told
beforehand of the few directions in which such features vary thousands of times as much as in most; L-BFGS takes
hundreds of steps to learn them.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import validate_data

TOLERANCE = 3e-4  # of the gradient in relation to the first: as close to the minimum as scikit-learn's answer
LARGEST_C = 1.0  # beyond it products in float32 are too coarse to find the minimum by
DIRECTIONS = 50  # in which steps are scaled
SHORTEST = 1e-6  # part of a step that is tried


class WideLogisticRegression(LogisticRegression):
    """Multinomial logistic regression with an L2 penalty, the minimum of what scikit-learn's minimises.

    With as many examples as features or a `C` above `LARGEST_C` it is scikit-learn's own. The parameters are those of
    scikit-learn's; `max_iter` also bounds the products with G that one of Newton's steps takes.
    """

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "WideLogisticRegression":
        """Learn ``coef_`` and ``intercept_`` from features, shape (n, features), and labels, shape (n,)."""
        n, features = np.shape(X)
        if n >= features or self.C > LARGEST_C:
            return super().fit(X, y, sample_weight)
        X, y = validate_data(self, X, y, dtype=(np.float32, np.float64))
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has the one class {self.classes_[0]}; at least two are needed")
        weights = self.C * compute_sample_weight(self.class_weight, y)
        if sample_weight is not None:
            weights = weights * sample_weight
        two = len(self.classes_) == 2  # then scikit-learn penalises their difference, twice the square of each
        A, intercepts, steps = minimize(X @ X.T, labels, weights / (2 if two else 1), self.max_iter)
        coefficients = A.T.astype(X.dtype) @ X
        if two:
            coefficients, intercepts = coefficients[1:] - coefficients[:1], intercepts[1:] - intercepts[:1]
        self.coef_, self.intercept_ = coefficients, intercepts.astype(X.dtype)
        self.n_iter_ = np.array([steps], dtype=np.int32)
        return self


def minimize(G: np.ndarray, labels: np.ndarray, weights: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Minimise the weighted cross-entropy of softmax(G A + b) plus half of tr(Aᵀ G A), by Newton's method.

    Lengths are those of W = Xᵀ A: |A|² = tr(Aᵀ G A). In this geometry A plus the weighted residuals is the gradient,
    and preconditioned conjugate gradients solve for Newton's step with one product with G each.

    Parameters
    ----------
    G : np.ndarray, shape (n, n)
        Products of the examples with each other.
    labels : np.ndarray of int, shape (n,)
        Every class from 0 on occurs.
    weights : np.ndarray, shape (n,)
        What each example counts.
    most : int
        Steps, and products with G in each.

    Returns
    -------
    A : np.ndarray of float64, shape (n, classes)
    b : np.ndarray of float64, shape (classes,)
    steps : int
    """
    n, classes = len(labels), labels.max() + 1
    weights, target = weights[:, None], np.eye(classes)[labels]
    steepness_of_b = weights.sum() / classes  # so that the gradients of A and b have one measure
    A, GA, b = np.zeros((n, classes)), np.zeros((n, classes)), np.zeros(classes)
    # the directions change little from step to step: each begins with those of the last
    sketch = np.random.default_rng(0).standard_normal((n, min(DIRECTIONS, n))).astype(G.dtype)

    def times(V: np.ndarray) -> np.ndarray:
        return (G @ V.astype(G.dtype)).astype(float)

    def product(V: np.ndarray, GV: np.ndarray, v: np.ndarray, w: np.ndarray) -> float:
        return np.vdot(V, GV) + steepness_of_b * (v @ w)

    def objective(A: np.ndarray, GA: np.ndarray, b: np.ndarray) -> float:
        logits = GA + b
        losses = logsumexp(logits, axis=1) - logits[np.arange(n), labels]
        return float(weights[:, 0] @ losses + np.vdot(A, GA) / 2)

    def newton_step(p: np.ndarray, R: np.ndarray, GR: np.ndarray, r: np.ndarray, enough: float) -> tuple:
        """Solve for the step from the negative gradient (R, r)."""
        nonlocal sketch
        curvature = np.sqrt(weights * (1 - np.sum(p * p, axis=1, keepdims=True)) / classes)  # the mean over the classes
        precondition, sketch = preconditioner(G, curvature.astype(G.dtype), sketch)
        V, GV, v = np.zeros_like(R), np.zeros_like(R), np.zeros_like(r)
        D, GD = precondition(R, GR)
        d, square = r, product(D, GR, r, r)
        for _ in range(most):
            change = p * (GD + d)
            change = weights * (change - p * change.sum(axis=1, keepdims=True))  # of the residuals
            H, h = D + change, change.sum(axis=0) / steepness_of_b
            steepness = product(H, GD, h, d)
            if steepness <= 0:  # nothing is left but rounding
                break
            length = square / steepness
            V, GV, v = V + length * D, GV + length * GD, v + length * d
            R, r = R - length * H, r - length * h
            GR = times(R)
            if product(R, GR, r, r) <= enough:
                break
            Z, GZ = precondition(R, GR)
            before, square = square, product(Z, GR, r, r)
            D, GD, d = Z + square / before * D, GZ + square / before * GD, r + square / before * d
        return V, GV, v

    value, first, steps = objective(A, GA, b), 0.0, 0
    for steps in range(1, most + 1):
        p = softmax(GA + b, axis=1)
        residuals = weights * (target - p)
        R, r = residuals - A, residuals.sum(axis=0) / steepness_of_b  # minus the gradient
        GR = times(R)
        square = product(R, GR, r, r)
        first = first or square
        if square <= TOLERANCE**2 * first:
            break
        # the closer, the more exactly: this is what makes the last steps few
        V, GV, v = newton_step(p, R, GR, r, square * min(0.1, np.sqrt(square / first)))
        slope, length = -product(R, GV, r, v), 1.0
        while (reached := objective(*(moved := (A + length * V, GA + length * GV, b + length * v)))) > (
            value + 1e-4 * length * slope
        ):
            length /= 2
            if length < SHORTEST:  # no step is better than none: rounding is all that is left
                return A, b, steps
        (A, GA, b), value = moved, reached
    return A, b, steps


def preconditioner(
    G: np.ndarray, curvature: np.ndarray, sketch: np.ndarray
) -> tuple[Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Return what divides by I + Xᵀ S² X in its steepest directions (Nyström [1]_), S the diagonal of `curvature`.

    Parameters
    ----------
    G : np.ndarray, shape (n, n)
    curvature : np.ndarray, shape (n, 1)
        The root of that of the loss, for each example.
    sketch : np.ndarray, shape (n, directions)
        Where to look for the directions.

    Returns
    -------
    precondition : callable
        Takes A and G A, returns both after the division.
    directions : np.ndarray, shape (n, directions)
        What to look for the next ones by.

    References
    ----------
    .. [1] Z. Frangella, J. Tropp, M. Udell, "Randomized Nyström preconditioning", SIAM Journal on Matrix Analysis and
       Applications 44, 2023.
    """
    U = np.linalg.qr(sketch)[0]
    U = np.linalg.qr(curvature * (G @ (curvature * U)))[0]
    GSU = G @ (curvature * U)
    strengths, turn = np.linalg.eigh((curvature * U).T @ GSU)
    U, GSU = U @ turn, GSU @ turn
    SU = curvature * U
    shrink = (1 / (1 + np.maximum(strengths, 0)))[:, None].astype(G.dtype)

    def precondition(A: np.ndarray, GA: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        part = shrink * (SU.T @ GA.astype(G.dtype))
        return A - SU @ part, GA - GSU @ part

    return precondition, U
