"""Sign-in through an identity provider, if one is configured."""

from bodydouble.bootstrap.stores import Stores, open_secret
from bodydouble.outbound import GuardedClient, parse_networks
from bodydouble.service import SessionService
from bodydouble.service.single_sign_on import SingleSignOn
from bodydouble.settings import Settings
from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.identity import IdentityProvider


def build_single_sign_on(settings: Settings, stores: Stores, sessions: SessionService) -> SingleSignOn | None:
    """The service; None if no provider is configured. Raises InputRejected for invalid settings."""
    provider = open_provider(settings)
    return SingleSignOn(provider, stores.identities, sessions, open_secret(settings)) if provider else None


def open_provider(settings: Settings) -> IdentityProvider | None:
    """The provider, before any request to it. Raises InputRejected for invalid settings."""
    if not settings.oidc_issuer:
        return None
    from bodydouble.outbound.identity import OpenIdProvider, ProviderOptions  # takes half a second to import

    try:
        allowed = parse_networks(settings.oidc_allow)
    except ValueError as error:
        raise InputRejected(f"BODYDOUBLE_OIDC_ALLOW: {error}", field="oidc_allow") from None
    options = ProviderOptions(
        name=settings.oidc_name,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        redirect_url=f"{settings.base_url}/sign-in/callback",
        scopes=settings.oidc_scopes,
        domains=[domain.strip() for domain in settings.oidc_domains.split(",") if domain.strip()],
        role_claim=settings.oidc_role_claim,
        operator_role=settings.oidc_operator_role,
    )
    return OpenIdProvider(options, GuardedClient(allowed))
