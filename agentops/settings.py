"""Django's settings, read from the environment. `.env.example` explains every variable.

Nothing here starts a server. Whoever starts Django (manage.py, `make run`, the tests) holds the
embedded PostgreSQL and says where it is in AGENTOPS_PG_SOCKET.
"""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured

from agentops import environment as env
from agentops.admin_look import UNFOLD  # noqa: F401 - a setting
from agentops.secret import secret_key_of_this_machine

env.load_env_file()

BASE_DIR = env.BASE_DIR
AGENTOPS_ENV = env.choice(
    "AGENTOPS_ENV", default="development", options=("development", "production")
)
PRODUCTION = AGENTOPS_ENV == "production"

# --- security -----------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG")
if PRODUCTION:
    if DEBUG:
        raise ImproperlyConfigured("DEBUG is on. It shows secrets on error pages; unset it.")
    SECRET_KEY = env.required("SECRET_KEY", why="Production needs its own: 50 random characters.")
    ALLOWED_HOSTS = env.required("ALLOWED_HOSTS", why="Name the site's hosts.").split(",")
else:
    SECRET_KEY = env.text("SECRET_KEY") or secret_key_of_this_machine()
    ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default=("localhost", "127.0.0.1", "[::1]"))

CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
if env.flag("AGENTOPS_BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_AGE = 8 * 3600  # without a page asked for; see executions/pages/staying.py
X_FRAME_OPTIONS = "DENY"

# --- applications -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "agentops.accounts",
    "executions",
    "tools",
    "django_q",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "agentops.csp.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "agentops.waits.limited_waits",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "executions.pages.kept.KeepWords",
    "executions.pages.zones.ReadersZone",
    "executions.pages.staying.StayWhileWorking",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "agentops.urls"
WSGI_APPLICATION = "agentops.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the apps', because Unfold comes first among those.
        "DIRS": [BASE_DIR / "templates"],
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
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
CSRF_FAILURE_VIEW = "executions.pages.errors.stale_form"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = env.time_zone("AGENTOPS_TIME_ZONE", default="UTC")
LANGUAGE_CODE = "en-gb"

# --- database, cache, queue -----------------------------------------------------------------------

AGENTOPS_PG_BIN = env.text("AGENTOPS_PG_BIN")
DATABASES = {"default": env.default_database(production=PRODUCTION)}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
    }
}

AGENTOPS_WEB_LOCK_S = env.whole_number("AGENTOPS_WEB_LOCK_S", default=3, low=1, high=60)
AGENTOPS_WEB_STATEMENT_S = env.whole_number("AGENTOPS_WEB_STATEMENT_S", default=20, low=1, high=600)
AGENTOPS_LEASE_S = env.whole_number("AGENTOPS_LEASE_S", default=15, low=2, high=600)
AGENTOPS_HEARTBEAT_S = env.whole_number("AGENTOPS_HEARTBEAT_S", default=5, low=1, high=200)
AGENTOPS_SLICE_S = env.whole_number("AGENTOPS_SLICE_S", default=300, low=1, high=3600)
AGENTOPS_RUNNER_CAPACITY = env.whole_number(
    "AGENTOPS_RUNNER_CAPACITY", default=500, low=1, high=10_000
)
AGENTOPS_AGENT_WORKERS = env.whole_number(
    "AGENTOPS_AGENT_WORKERS", default=os.cpu_count() or 1, low=1, high=256
)
AGENTOPS_TOOL_THREADS = env.whole_number("AGENTOPS_TOOL_THREADS", default=16, low=1, high=256)
AGENTOPS_AGENT_MODULES = env.words("AGENTOPS_AGENT_MODULES", default=("agentops.agents",))

# A runner ends by itself after its slice and the drain that follows; django-q2's time-out is only a
# backstop behind that, and a ticket is handed out again only after the time-out has passed.
_BACKSTOP_S = AGENTOPS_SLICE_S * 6 // 5 + 90
Q_CLUSTER = {
    "name": "agentops",
    "orm": "default",
    "broker_class": "executions.engine.broker.PostgresBroker",
    "label": "Queue",
    "poll": 2,
    # one does what is scheduled; one stands as the solo runner, for what has killed its runner
    "workers": 2,
    "timeout": _BACKSTOP_S,
    "retry": _BACKSTOP_S + 50,
    "queue_limit": 1,
    "bulk": 1,
    "max_attempts": 5,
    "ack_failures": False,
    "save_limit": 0,
    "catch_up": False,
    "recycle": 1000,
    "guard_cycle": 0.5,
    "ALT_CLUSTERS": {
        "agents": {
            "workers": AGENTOPS_AGENT_WORKERS,
            "timeout": _BACKSTOP_S,
            "retry": _BACKSTOP_S + 50,
            "queue_limit": 1,
            "bulk": 1,
            "recycle": 5000,
            "max_rss": 600_000,
            "scheduler": False,
        }
    },
}

# --- the LLM --------------------------------------------------------------------------------------

OPENAI_API_KEY = env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = env.web_address("OPENAI_BASE_URL")
AGENTOPS_LLM_API = env.choice(
    "AGENTOPS_LLM_API", default="responses", options=("responses", "chat")
)
AGENTOPS_LLM_MODEL = env.text("AGENTOPS_LLM_MODEL") or "gpt-5-mini"
AGENTOPS_REHEARSAL = env.flag("AGENTOPS_REHEARSAL")

# --- tools ----------------------------------------------------------------------------------------

AGENTOPS_ORGANISATION = env.text("AGENTOPS_ORGANISATION")
AGENTOPS_MAIL_ALLOWED_DOMAINS = env.words("AGENTOPS_MAIL_ALLOWED_DOMAINS")
AGENTOPS_SANDBOX_REGULATOR_URL = env.web_address("AGENTOPS_SANDBOX_REGULATOR_URL")

# None: each tool's own window, in which an approval may be taken back.
AGENTOPS_UNDO_S = (
    env.whole_number("AGENTOPS_UNDO_S", default=0, low=0, high=86_400)
    if env.text("AGENTOPS_UNDO_S")
    else None
)

# --- mail, files, logs ----------------------------------------------------------------------------

# Without a mail server, letters land in a folder where a developer can read them.
_MAIL = env.mail("EMAIL_URL", default=f"filemail://{env.LOCAL_DIR / 'mail'}")
vars().update(_MAIL)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("AGENTOPS_FROM_EMAIL") or "agentops@localhost"

# Where links in mails lead, and who else is told what waits for a person.
AGENTOPS_SITE_URL = env.web_address("AGENTOPS_SITE_URL") or "http://localhost:8000"
AGENTOPS_DIGEST_MIN = env.whole_number("AGENTOPS_DIGEST_MIN", default=30, low=0, high=1440)
AGENTOPS_QUIET_HOURS = env.hours("AGENTOPS_QUIET_HOURS")

# While nobody decides; a tool may say otherwise.
AGENTOPS_REMIND_AT = env.percents("AGENTOPS_REMIND_AT", default="50,75")
AGENTOPS_ESCALATION_GROUP = env.text("AGENTOPS_ESCALATION_GROUP")
AGENTOPS_SLA_MIN = env.whole_number("AGENTOPS_SLA_MIN", default=240, low=1, high=10_080)

AGENTOPS_WEBHOOK_URL = env.web_address("AGENTOPS_WEBHOOK_URL")
AGENTOPS_WEBHOOK_SECRET = env.text("AGENTOPS_WEBHOOK_SECRET")

STATIC_URL = "static/"
STATIC_ROOT = env.LOCAL_DIR / "static"
STATICFILES_DIRS = [path for path in (BASE_DIR / "static",) if path.is_dir()]
AGENTOPS_STATIC_FILES = env.choice(
    "AGENTOPS_STATIC_FILES",
    default="source" if DEBUG else "collected",
    options=("collected", "source"),
)
_COLLECTED = AGENTOPS_STATIC_FILES == "collected"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not _COLLECTED
STORAGES = {
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["console"],
        "level": env.choice(
            "AGENTOPS_LOG_LEVEL", default="INFO", options=("DEBUG", "INFO", "WARNING", "ERROR")
        ),
    },
}
