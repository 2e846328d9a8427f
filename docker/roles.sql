-- Run once by the postgres image, as the superuser, when the database is new. The owner owns the tables and migrates;
-- the plain role is that of web and workers: row-level security binds it, and the processes refuse any other.
\set owner_password `cat /run/secrets/database_owner_password`
\set app_password `cat /run/secrets/database_app_password`
CREATE ROLE commonwatch_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'owner_password';
CREATE ROLE commonwatch_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'app_password';
CREATE DATABASE commonwatch OWNER commonwatch_owner ENCODING 'UTF8' TEMPLATE template0
    LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';
REVOKE ALL ON DATABASE commonwatch FROM PUBLIC;
GRANT CONNECT ON DATABASE commonwatch TO commonwatch_app;
\connect commonwatch
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO commonwatch_app;
GRANT USAGE, CREATE ON SCHEMA public TO commonwatch_owner;
