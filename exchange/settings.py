"""Django settings. Values come from the environment (exchange/environment.py); names of rooms stand only here."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from exchange import environment

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = environment.read_flag("DEBUG", default=False)
SECRET_KEY = environment.read("SECRET_KEY")
SEALING_KEYS = environment.read_list("SEALING_KEYS")
PUBLIC_URL = environment.read("PUBLIC_URL").rstrip("/")
ALLOWED_HOSTS = environment.read_list("ALLOWED_HOSTS")
TRUSTED_PROXIES = environment.read_networks("TRUSTED_PROXIES")
BROKER_URL = environment.read("BROKER_URL")
CACHE_URL = environment.read("CACHE_URL")
EVENT_STREAMS = environment.read_count("EVENT_STREAMS", default=4)
# Requests are counted in the cache, else beside the queue; where the queue is RabbitMQ and there is no cache, nowhere.
LIMITS_URL = CACHE_URL or (BROKER_URL if BROKER_URL.startswith(("redis://", "rediss://")) else "")
RATE_LIMITS = environment.read_rates("RATE_LIMITS") if LIMITS_URL else {}
# Values that a lab may have evaluated in a day, to make selectors or to look for them.
EVALUATION_BUDGET = environment.read_count("EVALUATION_BUDGET", default=100_000)
METRICS_TOKEN = environment.read("METRICS_TOKEN")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "exchange.admin.apps.OperatorsAdminConfig",
    "rest_framework",
    "drf_spectacular",
    "exchange",
    "exchange.api.apps.ApiConfig",
    "signatures",
    "attribution",
]

MIDDLEWARE = [
    "exchange.web.metrics.RequestMetrics",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "exchange.http.codings.Codings",
    "exchange.http.limits.RateLimitFields",
    "exchange.http.persons.Sessions",
    "django.middleware.common.CommonMiddleware",
    "exchange.http.forms.FormBodies",
    "exchange.http.persons.FormProtection",
    "exchange.http.persons.SignedInPersons",
    "exchange.http.persons.SecondFactors",
    "exchange.http.persons.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# TAXII URLs end in "/" and a redirected POST would turn into a GET (TAXII 2.1 section 3.1).
APPEND_SLASH = False

ROOT_URLCONF = "exchange.urls"
WSGI_APPLICATION = "exchange.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database(variable: str) -> dict[str, object]:
    """One connection; without an address the dummy engine, which refuses every query."""
    url = environment.read(variable)
    if not url:
        return {"ENGINE": "django.db.backends.dummy"}
    address = environment.parse_database_url(variable, url)
    return {
        "ENGINE": "exchange.postgres",
        "NAME": address.name,
        "USER": address.user,
        "PASSWORD": address.password,
        "HOST": address.host,
        "PORT": address.port,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "commonwatch"},
    }


# "default" is the plain role of web and workers; "owner" owns the tables and is used by migrations alone.
DATABASES = {"default": _database("DATABASE_URL"), "owner": _database("DATABASE_OWNER_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

AUTH_USER_MODEL = "exchange.Person"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
OTP_TOTP_ISSUER = "commonwatch"
LOGIN_URL = "admin:login"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
DATETIME_FORMAT = "Y-m-d H:i:s e"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# Operators alone have sessions: one working day, and what they do asks for a fresh code (exchange/admin/freshness.py).
SESSION_ENGINE = "exchange.http.sessions"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

_SECURE = urlsplit(PUBLIC_URL).scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
# A reverse proxy that ends TLS says so in this header; it must strip the header from what it receives.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None

# Bodies are counted by the doors while they read; Django's own limit applies to forms.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# Content carried inside objects is opened by the room that knows it (dotted paths: services import no room).
CONTENT_INSPECTORS = ["signatures.inspectors.inspect_object", "attribution.inspectors.inspect_object"]
# Told which versions are the newest, in the transaction that makes them so, and asked when everything is checked.
NEWEST_OBSERVERS = ["attribution.claims.rows.keep_rows", "attribution.onward.settling.settle_granted"]
NEWEST_CHECKS = ["attribution.claims.checking.check_rows"]
# Asked what to warn publishers of.
PUBLISHING_ADVISERS = ["attribution.protection.advising.advise_publishers"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["exchange.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "exchange.api.problems.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "commonwatch",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Signed intelligence about adversarial distillation, shared among AI labs.",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["exchange.api.schemas.complete_document"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SORT_OPERATION_PARAMETERS": False,
}

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django.request": {"level": "ERROR"}},
}
