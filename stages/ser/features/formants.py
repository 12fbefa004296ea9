"""Resonances of the vocal tract: frequency and bandwidth of the first formants, by linear prediction.

The all-pole model is fitted to the power spectrum below 4 kHz (selective linear prediction, Makhoul 1975, Proc. IEEE
63(4)), two poles a formant. All its poles are formants, however wide, as they are in Praat: one that is left out gives
its number to the next. Most are read off a curve inside the unit circle, where poles that are wide or close together
are minima of their own (McCandless 1974, IEEE TASSP 22(2)); those it does not show follow from the coefficients of the
polynomial and the others.
"""

from functools import cache

import numpy as np

from ser.features.frames import bin_frequencies

TOP = 4150.0  # Hz; means of F1 and F2 are within 10 % of Praat's whichever ceiling men have there, 5000 or 5500 Hz
ORDER = 8  # two poles a formant
EMPHASIS = 50.0  # Hz, from which the spectrum is raised by 6 dB an octave (Praat)
EDGE = 50.0  # Hz; what is so close to 0 or to the top is the slope of the spectrum and no formant (Praat)
POINTS = 32  # of the curve, from 0 Hz to the top
CURVE = (160.0, 650.0)  # Hz, the bandwidths of poles on it, at 0 Hz and at the top: higher formants are wider
FARTHEST = 12.0  # points; a pole that seems to be further away from a minimum is looked for at the minimum
NO_PAIR = 0.003  # of the unit circle; poles this close to the real axis are on it
SIGNS = np.array([[1.0], [-1.0]])
# Hz, frequencies and bandwidths of the formants of a neutral tube of 17.5 cm; for clips that show none
TYPICAL = np.array([[500.0, 1500.0, 2500.0], [80.0, 100.0, 120.0]])


def formants(power: np.ndarray, *, sr: int, count: int = 3) -> dict[str, np.ndarray]:
    """Return frequency and bandwidth of the first formants.

    Parameters
    ----------
    power : np.ndarray, shape (frames, bins)
        Power spectra of voiced frames.
    sr : int
        Hz.
    count : int

    Returns
    -------
    dict of str to np.ndarray, shape (frames,)
        ``f1``, ``f1_bandwidth``, …, in Hz. A formant that a frame lacks has the mean of the other frames.
    """
    to_autocorrelation, top = selective_transform(sr, 2 * (power.shape[1] - 1))
    model = levinson(power[:, : len(to_autocorrelation)] @ to_autocorrelation)
    return first_formants(upper_poles(model), top, count)


@cache
def selective_transform(sr: int, n_fft: int) -> tuple[np.ndarray, float]:
    """Return what takes the power spectrum below `TOP` to the autocorrelation of the pre-emphasised signal there.

    Returns
    -------
    matrix : np.ndarray of float32, shape (bins, order + 1)
    top : float
        The highest of those bins, Hz.
    """
    frequencies = bin_frequencies(sr, n_fft).astype(float)
    bins = min(int(np.searchsorted(frequencies, TOP)) + 1, len(frequencies))
    top = float(frequencies[bins - 1])
    zero = np.exp(-2 * np.pi * EMPHASIS / sr)
    emphasis = 1 + zero**2 - 2 * zero * np.cos(2 * np.pi * frequencies[:bins] / sr)
    sides = np.where((np.arange(bins) == 0) | (np.arange(bins) == bins - 1), 1, 2) / (2 * (bins - 1))
    angles = np.pi * np.outer(np.arange(bins), np.arange(ORDER + 1)) / (bins - 1)
    return ((emphasis * sides)[:, None] * np.cos(angles)).astype(np.float32), top


def levinson(autocorrelation: np.ndarray) -> np.ndarray:
    """Return the coefficients of the prediction error filters, shape (order + 1, frames), by Levinson's recursion.

    Parameters
    ----------
    autocorrelation : np.ndarray, shape (frames, order + 1)
    """
    r = autocorrelation.T.astype(np.float64)
    r[0] = r[0] * 1.0001 + 1e-12  # a noise floor 40 dB below keeps the recursion stable
    a = np.zeros_like(r)
    a[0] = 1
    error = -r[0]  # its negative, which the steps need
    for i in range(1, len(r)):
        predicted = np.einsum("of,of->f", a[:i], r[i:0:-1])
        reflection = predicted / error
        a[1 : i + 1] += reflection * a[i - 1 :: -1][:i]
        error -= reflection * predicted
    return a.astype(np.float32)


def upper_poles(model: np.ndarray) -> np.ndarray:
    """Return the poles of each frame above the real axis, shape (frames, order / 2), in no order; zeros for none.

    Parameters
    ----------
    model : np.ndarray of float32, shape (order + 1, frames)
        Coefficients of the inverse filters.
    """
    pairs = ORDER // 2
    frames, known = poles_by_curve(model)
    found = np.bincount(frames, minlength=model.shape[1])
    number = np.arange(len(frames)) - (found.cumsum() - found)[frames]  # of a pole in its frame
    poles = np.zeros((len(found), pairs + 1), dtype=np.complex64)
    poles.ravel()[frames * (pairs + 1) + np.minimum(number, pairs)] = known
    few = np.flatnonzero((found >= pairs - 2) & (found < pairs))
    poles[few, pairs - 2 : pairs] = last_two_poles(model[:, few], poles[few, : pairs - 2]).T
    return poles[:, :pairs]


def poles_by_curve(model: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the poles near minima of the inverse filters along a curve inside the unit circle: frames and places.

    A parabola through a minimum and its neighbours, all complex, tells where the filter is zero (Muller's method); a
    step of Newton's improves that.
    """
    to_curve, places, step = curve()
    values = model.T @ to_curve
    parts = np.square(values)
    points = len(places)
    level = (parts[:, :points] + parts[:, points:]).ravel()  # as one long row, which is faster
    rises = level[1:] > level[:-1]
    lowest = np.zeros((len(values), points), dtype=bool)
    np.greater(rises[1:], rises[:-1], out=lowest.ravel()[1:-1])
    lowest[:, 0] = lowest[:, -1] = False
    place = np.flatnonzero(lowest)
    frames = place // points
    point = place - frames * points
    parts = values.take(place + frames * points + beside(points))
    near = np.empty((3, len(point)), dtype=np.complex64)
    near.real, near.imag = parts[:3], parts[3:]
    before, here, after = near
    slope, bend = after - before + np.float32(1e-12), after - here - here + before
    away = -4 * here / (slope * (1 + np.sqrt(1 - 8 * here * bend / (slope * slope))))  # the nearer of two zeros
    away *= (np.abs(away) < FARTHEST) * step
    pole = places[point] * ((2 + away) / (2 - away))  # nearly the exponential
    coefficients = model.take(frames, axis=1)
    slope = np.ones_like(pole)
    value = pole + coefficients[1]
    for coefficient in coefficients[2:]:  # Horner's scheme
        slope *= pole
        slope += value
        value *= pole
        value += coefficient
    pole -= value / slope
    above = pole.imag > NO_PAIR
    return frames[above], pole[above]


@cache
def curve() -> tuple[np.ndarray, np.ndarray, complex]:
    """Return what takes inverse filters to their values along a curve from 0 Hz to the top.

    Returns
    -------
    to_curve : np.ndarray of float32, shape (order + 1, 2 * points)
        Real parts, then imaginary ones. One point lies beyond either end, as each needs its neighbours.
    places : np.ndarray of complex64, shape (points,)
    step : complex
        Logarithm of the ratio of a place to the one before.
    """
    angles = (np.arange(-1, POINTS + 1) + 0.5) * np.pi / POINTS
    first, last = -np.pi / 2 / TOP * np.array(CURVE)  # logarithms of the radius
    places = np.exp(1j * angles + first + (last - first) * angles / np.pi)
    values = places ** (ORDER / 2 - np.arange(ORDER + 1))[:, np.newaxis]  # turning as little as they can
    to_curve = np.concatenate([values.real, values.imag], axis=1, dtype=np.float32)
    return to_curve, places.astype(np.complex64), np.complex64((1j * np.pi + last - first) / POINTS)


@cache
def beside(points: int) -> np.ndarray:
    """Return where the values before, at and after a point are, real parts and imaginary ones, shape (6, 1)."""
    return np.array([-1, 0, 1, points - 1, points, points + 1])[:, np.newaxis]


def last_two_poles(model: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the poles above the real axis of inverse filters, or on it, beside two known pairs, shape (2, frames).

    Parameters
    ----------
    model : np.ndarray, shape (order + 1, frames)
    known : np.ndarray, shape (frames, 2)
    """
    first, second, third, fourth = model[1:5]  # the coefficients of the quotient follow one from another
    for pole in known.T:
        twice, square = 2 * pole.real, np.square(np.abs(pole))
        first = first + twice
        second = second + twice * first - square
        third = third + twice * second - square * first
        fourth = fourth + twice * third - square * second
    return upper_roots(first, second, third, fourth)


def upper_roots(b: np.ndarray, c: np.ndarray, d: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Return the roots of z^4 + b z^3 + c z^2 + d z + e above the real axis, shape (2, polynomials).

    By Ferrari: shifted so that it has no third power, the polynomial is the product of two quadratic ones, whose middle
    terms are plus and minus the root of the largest zero of a cubic one. On the axis are those that are not above.
    """
    b, c, d, e = (x.astype(np.float64) for x in (b, c, d, e))
    shift = b / 4
    square = shift * shift
    p = c - 6 * square
    q = d - 2 * shift * (c - 4 * square)
    r = e - shift * (d - shift * (c - 3 * square))
    third, half = (p * p + 12 * r) / 9, p * (p * p - 36 * r) / 27 + q * q / 2
    discriminant = half * half - third * third * third
    root = np.sqrt(np.abs(discriminant))
    single = np.cbrt(half + np.copysign(root, half)) + 1e-30
    largest = 2 * np.sqrt(np.maximum(third, 0)) * np.cos(np.arctan2(root, half) / 3)
    zero = np.maximum(np.where(discriminant < 0, largest, single + third / single) - 2 / 3 * p, 0)
    middle = SIGNS * np.sqrt(zero)
    apart = np.copysign(np.sqrt(np.maximum((p + zero) * (p + zero) - 4 * r, 0)), q)  # of the two constant terms
    height = (p + zero / 2 - SIGNS * apart) / 2
    roots = np.empty(height.shape, dtype=np.complex64)
    roots.real, roots.imag = -shift - middle / 2, np.sqrt(np.maximum(height, 0))
    return roots


def first_formants(poles: np.ndarray, top: float, count: int) -> dict[str, np.ndarray]:
    """Return the `count` formants of lowest frequency of each frame by name; what a frame lacks is filled in.

    Parameters
    ----------
    poles : np.ndarray of complex, shape (frames, poles)
        Above the real axis; zeros for none.
    top : float
        Hz, that of the angle pi.
    count : int
    """
    frequency = np.angle(poles) * np.float32(top / np.pi)
    frequency = np.where((frequency > EDGE) & (frequency < top - EDGE), frequency, np.float32(np.inf))
    lowest = frequency.argsort(axis=1, kind="stable")[:, :count].T + np.arange(len(poles)) * poles.shape[1]
    columns = np.empty((2, count, len(poles)), dtype=np.float32)
    columns[0] = frequency.ravel()[lowest]
    radius = np.minimum(np.maximum(np.abs(poles.ravel()[lowest]), np.float32(1e-9)), np.float32(1))
    columns[1] = np.log(radius) * np.float32(-2 * top / np.pi)
    known = columns[0] < np.inf
    columns = np.where(known, columns, np.float32(0))
    found = known.sum(axis=1)
    if found.min() < len(poles):
        mean = np.where(found > 0, columns.sum(axis=2) / np.maximum(found, 1), TYPICAL[:, :count])
        columns = np.where(known, columns, mean[..., np.newaxis].astype(np.float32))
    names = [f"f{formant + 1}{kind}" for kind in ("", "_bandwidth") for formant in range(count)]
    return dict(zip(names, columns.reshape(2 * count, -1), strict=True))
