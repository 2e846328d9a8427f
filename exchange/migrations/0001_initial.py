"""Every table that is not partitioned."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiRoot",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("slug", models.SlugField(max_length=64, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                ("max_content_bytes", models.PositiveIntegerField(default=52428800)),
            ],
            options={
                "db_table": "api_root",
                "ordering": ["slug"],
            },
        ),
        migrations.CreateModel(
            name="Audience",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("digest", models.BinaryField(help_text="SHA-256 of the other columns", max_length=32, unique=True)),
                ("label", models.SmallIntegerField(help_text="0 CLEAR to 4 RED")),
                ("anonymous", models.BooleanField()),
                ("every_lab", models.BooleanField()),
                ("every_client", models.BooleanField()),
                (
                    "labs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), default=list, help_text="identity ids", size=None
                    ),
                ),
                (
                    "clients",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        default=list,
                        help_text="labs whose clients read it",
                        size=None,
                    ),
                ),
                (
                    "persons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        default=list,
                        help_text="identity ids of persons",
                        size=None,
                    ),
                ),
                ("owner", models.CharField(blank=True, help_text="identity id of a lab", max_length=64)),
            ],
            options={
                "db_table": "audience",
            },
        ),
        migrations.CreateModel(
            name="Collection",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("alias", models.SlugField(max_length=64)),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[("agreement", "Agreement"), ("open", "Open")], default="agreement", max_length=12
                    ),
                ),
                ("floor", models.SmallIntegerField(default=0)),
                ("public", models.BooleanField(default=False, help_text="what is TLP:CLEAR in it is for everybody")),
                (
                    "is_view",
                    models.BooleanField(default=False, help_text="read-only view of the root's other collections"),
                ),
                ("page_limit", models.PositiveIntegerField(default=1000)),
                (
                    "api_root",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="collections", to="exchange.apiroot"
                    ),
                ),
            ],
            options={
                "db_table": "collection",
                "ordering": ["public_id"],
            },
        ),
        migrations.CreateModel(
            name="Lab",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("slug", models.SlugField(max_length=64, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("contact", models.CharField(blank=True, max_length=500)),
                ("kind", models.CharField(choices=[("lab", "Lab"), ("node", "Node")], default="lab", max_length=8)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended")], default="active", max_length=12
                    ),
                ),
                ("status_since", models.DateTimeField()),
                ("identity_id", models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ("is_self", models.BooleanField(default=False, help_text="this node's own row")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "lab",
                "ordering": ["slug"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_self", True)), fields=("is_self",), name="one_self_node"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_self", False), ("kind", "node"), _connector="OR"),
                        name="only_a_node_is_self",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=200)),
                ("request_digest", models.BinaryField(max_length=32)),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("body", models.BinaryField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_index=True)),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="idempotent_requests",
                        to="exchange.lab",
                    ),
                ),
            ],
            options={
                "db_table": "idempotency",
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("can_read", models.BooleanField(default=True)),
                ("can_write", models.BooleanField(default=False)),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="exchange.collection"
                    ),
                ),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="exchange.lab"
                    ),
                ),
            ],
            options={
                "db_table": "collection_grant",
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("username", models.CharField(max_length=64, unique=True)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("viewer", "Viewer"),
                            ("analyst", "Analyst"),
                            ("admin", "Admin"),
                            ("counsel", "Counsel"),
                            ("operator", "Operator"),
                        ],
                        default="viewer",
                        max_length=12,
                    ),
                ),
                ("identity_id", models.CharField(max_length=64, unique=True)),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False, help_text="may sign in to the operators' pages")),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "lab",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="persons",
                        to="exchange.lab",
                    ),
                ),
            ],
            options={
                "db_table": "person",
            },
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("operation", models.CharField(max_length=20)),
                ("lab_id", models.IntegerField()),
                ("version_id", models.BigIntegerField(blank=True, null=True)),
                ("salt", models.BinaryField(blank=True, max_length=32, null=True)),
                ("record", models.BinaryField(blank=True, null=True)),
                (
                    "data",
                    models.BinaryField(help_text="the leaf's bytes: JCS of the commitment or of the clear record"),
                ),
                ("log_index", models.BigIntegerField(blank=True, null=True, unique=True)),
            ],
            options={
                "db_table": "leaf",
                "indexes": [models.Index(fields=["version_id"], name="leaf_version")],
            },
        ),
        migrations.CreateModel(
            name="Pin",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("thumbprint", models.CharField(max_length=43)),
                ("pinned_at", models.DateTimeField()),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pins", to="exchange.lab"
                    ),
                ),
            ],
            options={
                "db_table": "pin",
            },
        ),
        migrations.CreateModel(
            name="PublishingStatus",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("requested_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("total_count", models.PositiveIntegerField(default=0)),
                ("successes", models.JSONField(default=list)),
                ("failures", models.JSONField(default=list)),
                ("pendings", models.JSONField(default=list)),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="statuses", to="exchange.lab"
                    ),
                ),
            ],
            options={
                "db_table": "status",
            },
        ),
        migrations.CreateModel(
            name="Reference",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("version_id", models.BigIntegerField()),
                ("property", models.CharField(max_length=250)),
                ("target_stix_id", models.CharField(max_length=300)),
            ],
            options={
                "db_table": "reference",
                "indexes": [
                    models.Index(fields=["target_stix_id"], name="reference_target"),
                    models.Index(fields=["version_id"], name="reference_version"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Sequencer",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("last_seq", models.BigIntegerField(default=0)),
                ("last_date_added", models.DateTimeField()),
            ],
            options={
                "db_table": "sequencer",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_sequencer")],
            },
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("kid", models.CharField(help_text="RFC 7638 thumbprint", max_length=43, unique=True)),
                ("use", models.CharField(choices=[("root", "Root"), ("sig", "Sig")], max_length=4)),
                ("x", models.CharField(help_text="base64url of the Ed25519 public key", max_length=43)),
                (
                    "custody",
                    models.CharField(choices=[("lab", "Lab"), ("exchange", "Exchange")], default="lab", max_length=8),
                ),
                ("sealed", models.BinaryField(blank=True, null=True)),
                ("nbf", models.BigIntegerField(help_text="Unix seconds")),
                ("exp", models.BigIntegerField(blank=True, help_text="Unix seconds", null=True)),
                ("revoked_at", models.BigIntegerField(blank=True, help_text="Unix seconds", null=True)),
                ("compromised_since", models.BigIntegerField(blank=True, help_text="Unix seconds", null=True)),
                ("first_seen_at", models.DateTimeField()),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="keys", to="exchange.lab"
                    ),
                ),
            ],
            options={
                "db_table": "signing_key",
            },
        ),
        migrations.CreateModel(
            name="StixObject",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("stix_id", models.CharField(max_length=300)),
                ("type", models.CharField(max_length=250)),
                (
                    "created_text",
                    models.CharField(blank=True, help_text="`created` as sent: constant over versions", max_length=64),
                ),
                ("newest_version_id", models.BigIntegerField(blank=True, null=True)),
                ("newest_audience_id", models.IntegerField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("current", "Current"),
                            ("disputed", "Disputed"),
                            ("suspended", "Suspended"),
                            ("revoked", "Revoked"),
                            ("deleted", "Deleted"),
                        ],
                        default="current",
                        max_length=12,
                    ),
                ),
                ("state_since", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "home_collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stix_objects",
                        to="exchange.collection",
                    ),
                ),
                (
                    "producer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="stix_objects", to="exchange.lab"
                    ),
                ),
            ],
            options={
                "db_table": "object",
            },
        ),
        migrations.CreateModel(
            name="HeldVersion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("version_id", models.BigIntegerField(unique=True)),
                ("missing_marking", models.CharField(db_index=True, max_length=64)),
                ("held_since", models.DateTimeField()),
                (
                    "object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="held_versions",
                        to="exchange.stixobject",
                    ),
                ),
            ],
            options={
                "db_table": "held",
            },
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "prefix",
                    models.CharField(
                        help_text="public part: names the token in lists and logs", max_length=16, unique=True
                    ),
                ),
                ("digest", models.BinaryField(help_text="SHA-256 of the whole token", max_length=32)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("read", "Read"),
                                ("publish", "Publish"),
                                ("sign", "Sign"),
                                ("feedback", "Feedback"),
                            ],
                            max_length=12,
                        ),
                        size=None,
                    ),
                ),
                ("client", models.BooleanField(default=False, help_text="belongs to a downstream client of the lab")),
                ("bounds", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tokens", to="exchange.lab"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "token",
            },
        ),
        migrations.CreateModel(
            name="KeyUse",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("used", models.PositiveIntegerField(default=0)),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="key_uses", to="exchange.token"
                    ),
                ),
            ],
            options={
                "db_table": "key_use",
            },
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
                ("version_key", models.CharField(max_length=64)),
                ("digest", models.BinaryField(max_length=32)),
                ("audience_id", models.IntegerField()),
                ("deleted_at", models.DateTimeField()),
                (
                    "object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tombstones", to="exchange.stixobject"
                    ),
                ),
            ],
            options={
                "db_table": "tombstone",
            },
        ),
        migrations.CreateModel(
            name="VersionKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "object_id", "version_key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version_key", models.CharField(db_collation="C", max_length=64)),
                ("version_id", models.BigIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
                (
                    "object",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="version_keys",
                        to="exchange.stixobject",
                    ),
                ),
            ],
            options={
                "db_table": "version_key",
            },
        ),
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.UniqueConstraint(fields=("api_root", "alias"), name="alias_unique_in_root"),
        ),
        migrations.AddConstraint(
            model_name="idempotentrequest",
            constraint=models.UniqueConstraint(fields=("lab", "key"), name="idempotency_key_per_lab"),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(fields=("collection", "lab"), name="one_grant_per_lab"),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(("role", "operator"), ("lab__isnull", False), _connector="OR"),
                name="only_operators_have_no_lab",
            ),
        ),
        migrations.AddConstraint(
            model_name="pin",
            constraint=models.UniqueConstraint(fields=("thumbprint",), name="a_root_is_pinned_once"),
        ),
        migrations.AddIndex(
            model_name="stixobject",
            index=models.Index(fields=["stix_id"], name="object_stix_id"),
        ),
        migrations.AddConstraint(
            model_name="stixobject",
            constraint=models.UniqueConstraint(fields=("producer", "stix_id"), name="object_per_producer"),
        ),
        migrations.AddConstraint(
            model_name="keyuse",
            constraint=models.UniqueConstraint(fields=("token", "day"), name="one_count_per_day"),
        ),
        migrations.AddIndex(
            model_name="versionkey",
            index=models.Index(fields=["version_id"], name="version_key_version"),
        ),
    ]
