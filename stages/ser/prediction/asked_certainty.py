"""What it costs to ask a model for certainty, as the test speakers of its run tell."""


def cost_of_certainty(description: dict, certainty: float, *, calibrated: bool) -> str:
    """Say what share of clips a model answers that is asked for a certainty, and how often it is wrong then.

    Parameters
    ----------
    description : dict
        The model's ``model.json``; see `ser.probabilities.model_results.add_results`.
    certainty : float
        0 to 1.
    calibrated : bool
        Whether the probabilities are those at the temperature.
    """
    known = description["certainty"]["calibrated" if calibrated else "as_predicted"]
    steps = list(zip(known["at"], known["coverage"], known["risk"], strict=True))
    at, coverage, risk = max((step for step in steps if step[0] <= certainty), default=steps[0])
    said = f"note: at a certainty of {at:g} this model answered"
    if risk is None:
        return f"{said} no clip of its test speakers"
    return f"{said} {100 * coverage:.3g} % of the clips of its test speakers, {100 * risk:.3g} % of these wrongly"
