select
  workspace_id,
  user_id,
  coalesce(nullif(trim(display_name), ''), nullif(trim(user_name), ''), user_id) as member_name
from {{ ref('stg_members') }}
