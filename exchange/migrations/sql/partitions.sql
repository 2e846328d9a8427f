-- Tables that grow without end are partitioned by their number from the first day, so that old partitions can be
-- detached and new ones attached without a rewrite. A partition holds ten million numbers.
-- Foreign keys point at these tables nowhere: uniqueness across partitions stands in version_key and sequencer.

CREATE SEQUENCE version_id_seq AS bigint;
CREATE TABLE version (
    id            bigint      NOT NULL DEFAULT nextval('version_id_seq') PRIMARY KEY,
    object_id     bigint      NOT NULL REFERENCES object (id) DEFERRABLE INITIALLY DEFERRED,
    version_text  varchar(64) NOT NULL,
    body          bytea       NOT NULL,
    digest        bytea       NOT NULL,
    label         smallint    NOT NULL,
    audience_id   integer     NOT NULL,
    distribution  varchar(64) NOT NULL,
    kid           varchar(43) NOT NULL,
    received_at   timestamptz NOT NULL
) PARTITION BY RANGE (id);
ALTER SEQUENCE version_id_seq OWNED BY version.id;

CREATE TABLE entry (
    seq                bigint       NOT NULL,
    collection_id      integer      NOT NULL,
    date_added         timestamptz  NOT NULL,
    version_id         bigint       NOT NULL,
    object_id          bigint       NOT NULL,
    type               varchar(250) NOT NULL,
    audience_id        integer      NOT NULL,
    newest_audience_id integer      NOT NULL,
    is_newest          boolean      NOT NULL,
    is_first           boolean      NOT NULL,
    is_shared          boolean      NOT NULL DEFAULT false,
    PRIMARY KEY (collection_id, seq)
) PARTITION BY RANGE (seq);
CREATE INDEX entry_newest      ON entry (collection_id, seq)       WHERE is_newest;
CREATE INDEX entry_newest_type ON entry (collection_id, type, seq) WHERE is_newest;
CREATE INDEX entry_newest_all  ON entry (seq)                      WHERE is_newest;
CREATE INDEX entry_object      ON entry (object_id);
CREATE INDEX entry_date        ON entry (date_added);

-- Dates rise with numbers, so "added after" becomes "number above". Runs as the owner: the answer must not depend on
-- who asks, and walking back over rows that a reader may not see would take time that tells of them.
CREATE FUNCTION seq_at(moment timestamptz) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ SELECT coalesce((SELECT seq FROM public.entry WHERE date_added <= moment ORDER BY date_added DESC LIMIT 1), 0) $$;
REVOKE ALL ON FUNCTION seq_at(timestamptz) FROM PUBLIC;

CREATE SEQUENCE delivery_id_seq AS bigint;
CREATE TABLE delivery (
    id             bigint      NOT NULL DEFAULT nextval('delivery_id_seq') PRIMARY KEY,
    at             timestamptz NOT NULL,
    lab_id         integer,
    person_id      integer,
    token_id       integer,
    door           varchar(24) NOT NULL,
    collection_ids integer[]   NOT NULL,
    seq_from       bigint      NOT NULL,
    seq_to         bigint      NOT NULL,
    filter         jsonb       NOT NULL,
    audience_ids   integer[]   NOT NULL
) PARTITION BY RANGE (id);
ALTER SEQUENCE delivery_id_seq OWNED BY delivery.id;
CREATE INDEX delivery_range ON delivery (seq_to, seq_from);

CREATE SEQUENCE audit_id_seq AS bigint;
CREATE TABLE audit (
    id      bigint       NOT NULL DEFAULT nextval('audit_id_seq') PRIMARY KEY,
    at      timestamptz  NOT NULL,
    actor   varchar(120) NOT NULL,
    lab_id  integer,
    action  varchar(60)  NOT NULL,
    subject varchar(300) NOT NULL,
    detail  jsonb        NOT NULL
) PARTITION BY RANGE (id);
ALTER SEQUENCE audit_id_seq OWNED BY audit.id;
CREATE INDEX audit_action ON audit (action, at);

-- The web and worker role owns no table and so cannot add a partition; it may call this function of the owner.
-- Keeps one whole spare partition ahead of each table's last number.
CREATE FUNCTION ensure_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    span  CONSTANT bigint := 10000000;
    made  integer := 0;
    parent record;
    lower_bound bigint;
    part_name   text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('commonwatch.ensure_partitions'));
    FOR parent IN
        SELECT * FROM (VALUES
            ('version',  (SELECT last_value FROM public.version_id_seq)),
            ('delivery', (SELECT last_value FROM public.delivery_id_seq)),
            ('audit',    (SELECT last_value FROM public.audit_id_seq)),
            ('entry',    (SELECT last_seq FROM public.sequencer))
        ) AS growing (name, last_number)
    LOOP
        FOR step IN 0..1 LOOP
            lower_bound := (parent.last_number / span + step) * span;
            part_name := format('%s_%s', parent.name, lpad((lower_bound / span)::text, 6, '0'));
            IF to_regclass('public.' || part_name) IS NULL THEN
                EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%s) TO (%s)',
                               part_name, parent.name, lower_bound, lower_bound + span);
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION ensure_partitions() FROM PUBLIC;

-- The one row of the sequencer changes in every writing transaction: room for heap-only updates on its page.
ALTER TABLE sequencer SET (fillfactor = 10);
INSERT INTO sequencer (id, last_seq, last_date_added) VALUES (1, 0, clock_timestamp());
SELECT ensure_partitions();
