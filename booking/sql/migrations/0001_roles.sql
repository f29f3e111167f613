-- Who may do what. Where an operator has made the roles already, they are taken as they are, if they are safe.
--   the role that runs the migrations  owns tables and functions (gw_owner on the embedded server)
--   gw_app       calls and API: owns nothing, sees nothing until an org's claim is armed
--   gw_resolver  owns the look-up from a dialled number to its org, and may read nothing else
--   gw_worker    queue and sweeps across orgs

do $$
declare
    wanted text;
begin
    foreach wanted in array array['gw_app', 'gw_resolver', 'gw_worker'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin nosuperuser nobypassrls', wanted);
            exception when duplicate_object or unique_violation then
                null; -- another database of this cluster was migrated at the same moment
            end;
        end if;
        if exists (
            select from pg_catalog.pg_roles where rolname = wanted and (rolsuper or rolbypassrls)
        ) then
            raise exception 'role % could step over row level security', wanted;
        end if;
    end loop;
end
$$;

-- Only SET: were its rights inherited, the owner would see every number without a claim.
do $$
begin
    if not pg_catalog.pg_has_role(current_user, 'gw_resolver', 'SET') then
        execute format('grant gw_resolver to %I with inherit false, set true', current_user);
    end if;
end
$$;

create schema app;

revoke all on schema app from public;

grant usage on schema app to gw_app, gw_worker, gw_resolver;

grant usage on schema public to gw_app, gw_worker, gw_resolver;

alter default privileges revoke execute on functions from public;
