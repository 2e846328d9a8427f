"""What operators may do to tokens and persons of any lab. Each act is in the audit log with their name."""

from __future__ import annotations

from exchange.models import Person, Token
from exchange.services.audit import record_event
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError
from exchange.services.principals import Principal, PrincipalKind
from exchange.services.tokens import revoke_with_issued


def operator_of(person: Person) -> Principal:
    """The principal of an operator who has signed in with both factors.

    Raises:
        AccessDeniedError: the person is no active operator.
    """
    if person.role != Person.Role.OPERATOR or not person.is_active:
        raise AccessDeniedError("only operators may do this")
    return Principal(PrincipalKind.OPERATOR, person_id=person.pk, person_identity=person.identity_id)


def revoke_any_token(*, actor: Principal, prefix: str) -> bool:
    """Stop a token of any lab at once, with all that it issued; tells whether it was good until now."""
    with writing():
        token = Token.objects.select_for_update().filter(prefix=prefix, revoked_at=None).first()
        if token is None:
            return False
        revoke_with_issued(actor, token)
    return True


def set_person_active(*, actor: Principal, person: Person, is_active: bool) -> bool:
    """Close or open a person's account; tells whether that changed anything. Acts at the next request.

    Raises:
        AccessDeniedError: operators would close their own account.
    """
    if person.pk == actor.person_id:
        raise AccessDeniedError("operators do not close their own account; another one does")
    with writing():
        changed = Person.objects.filter(pk=person.pk, is_active=not is_active).update(is_active=is_active)
        if changed:
            record_event(actor, "person-opened" if is_active else "person-closed", person.username)
    return bool(changed)
