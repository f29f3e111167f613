-- Clinics may have their calls placed over Vonage.
--
-- Way back: update public.calling_settings set carrier = 'twilio' where carrier = 'vonage'; put the check on its carrier back as
-- 0066 has it. An older replica does not place such a call: the attempt ends as `not_configured`, and is not tried again.

alter table public.calling_settings drop constraint calling_settings_carrier_check;
alter table public.calling_settings add constraint calling_settings_carrier_check
    check (carrier in ('twilio', 'telnyx', 'plivo', 'vonage'));
