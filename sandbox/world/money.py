"""Money as whole pence.

The generator computes in integers and turns an amount into a `Decimal` with two places only where a vendor's record is
rendered. Rates are basis points (2000 = 20 %). Rounding is half away from zero, once per stored amount.
"""

from decimal import ROUND_HALF_UP, Decimal

_FIVE_PLACES = Decimal("0.00001")
_rendered: dict[int, Decimal] = {}


def pounds(pence: int) -> Decimal:
    """`pence` as a Decimal with two places; equal amounts share one object, as a large world holds millions of them."""
    amount = _rendered.get(pence)
    if amount is None:
        amount = Decimal(pence).scaleb(-2)
        _rendered[pence] = amount
    return amount


def divide(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded half away from zero. `denominator` is positive."""
    quotient, remainder = divmod(abs(numerator), denominator)
    if remainder * 2 >= denominator:
        quotient += 1
    return quotient if numerator >= 0 else -quotient


def share(amount: int, basis_points: int) -> int:
    """`basis_points` of `amount`, in pence."""
    return divide(amount * basis_points, 10_000)


def tax_inside(gross: int, basis_points: int) -> int:
    """The VAT contained in a tax-inclusive amount; the net is `gross` less this, never rounded apart."""
    return divide(gross * basis_points, 10_000 + basis_points)


def unit_price(net: int, quantity: int) -> Decimal:
    """A net unit price in pounds with the five places Sage 200 keeps; `quantity` is at least 1."""
    return (Decimal(net) / (100 * quantity)).quantize(_FIVE_PLACES, rounding=ROUND_HALF_UP)


def five_places(value: int) -> Decimal:
    """A whole quantity as Sage 200 writes it."""
    return Decimal(value).quantize(_FIVE_PLACES)
