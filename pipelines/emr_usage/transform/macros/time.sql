{# Time is split in whole microseconds since 1970, so that no session's time zone and no rounding can move an hour. #}
{% macro microseconds_an_hour() %}3600000000{% endmacro %}

{% macro epoch_us(moment) %}{{ return(adapter.dispatch('epoch_us', 'emr_usage')(moment)) }}{% endmacro %}
{% macro default__epoch_us(moment) %}unix_micros({{ moment }}){% endmacro %}
{% macro duckdb__epoch_us(moment) %}epoch_us({{ moment }}){% endmacro %}
{% macro postgres__epoch_us(moment) %}cast(extract(epoch from {{ moment }}) * 1000000 as bigint){% endmacro %}
{% macro snowflake__epoch_us(moment) %}date_part(epoch_microsecond, {{ moment }}){% endmacro %}

{# The hour a microsecond lies in, counted from 1970. #}
{% macro hour_number(microseconds) %}{{ return(adapter.dispatch('hour_number', 'emr_usage')(microseconds)) }}{% endmacro %}
{% macro default__hour_number(microseconds) %}cast(floor(({{ microseconds }}) / {{ emr_usage.microseconds_an_hour() }}) as {{ dbt.type_bigint() }}){% endmacro %}
{% macro duckdb__hour_number(microseconds) %}(({{ microseconds }}) // {{ emr_usage.microseconds_an_hour() }}){% endmacro %}

{% macro hour_start(hour_number) %}{{ return(adapter.dispatch('hour_start', 'emr_usage')(hour_number)) }}{% endmacro %}
{% macro default__hour_start(hour_number) %}timestamp_seconds({{ hour_number }} * 3600){% endmacro %}
{% macro duckdb__hour_start(hour_number) %}to_timestamp({{ hour_number }} * 3600){% endmacro %}
{% macro postgres__hour_start(hour_number) %}to_timestamp({{ hour_number }} * 3600){% endmacro %}
{% macro snowflake__hour_start(hour_number) %}to_timestamp_tz({{ hour_number }} * 3600){% endmacro %}

{% macro moment_of(microseconds) %}{{ return(adapter.dispatch('moment_of', 'emr_usage')(microseconds)) }}{% endmacro %}
{% macro default__moment_of(microseconds) %}timestamp_micros({{ microseconds }}){% endmacro %}
{% macro duckdb__moment_of(microseconds) %}make_timestamptz({{ microseconds }}){% endmacro %}
{# to_timestamp counts in floating point. #}
{% macro postgres__moment_of(microseconds) %}timestamptz '1970-01-01 00:00:00+00' + {{ microseconds }} * interval '1 microsecond'{% endmacro %}
{% macro snowflake__moment_of(microseconds) %}to_timestamp_tz({{ microseconds }}, 6){% endmacro %}

{# One row for each hour from the first to the last, both included; adds the column hour_number. #}
{% macro each_hour(relation, first, last) %}{{ return(adapter.dispatch('each_hour', 'emr_usage')(relation, first, last)) }}{% endmacro %}
{% macro duckdb__each_hour(relation, first, last) %}
  select spans.*, unnest(range({{ first }}, {{ last }} + 1)) as hour_number from {{ relation }} as spans
{% endmacro %}
{% macro postgres__each_hour(relation, first, last) %}
  select spans.*, generate_series({{ first }}, {{ last }}) as hour_number from {{ relation }} as spans
{% endmacro %}
{% macro spark__each_hour(relation, first, last) %}
  select spans.*, explode(sequence({{ first }}, {{ last }})) as hour_number from {{ relation }} as spans
{% endmacro %}
{% macro snowflake__each_hour(relation, first, last) %}
  select spans.*, cast(hours.value as bigint) as hour_number
  from {{ relation }} as spans, lateral flatten(input => array_generate_range({{ first }}, {{ last }} + 1)) as hours
{% endmacro %}
{% macro bigquery__each_hour(relation, first, last) %}
  select spans.*, hour_number from {{ relation }} as spans, unnest(generate_array({{ first }}, {{ last }})) as hour_number
{% endmacro %}

{# The date of a moment in the billing time zone. #}
{% macro billing_date(moment) %}{{ return(adapter.dispatch('billing_date', 'emr_usage')(moment, var('billing_time_zone'))) }}{% endmacro %}
{% macro default__billing_date(moment, zone) %}cast(timezone('{{ zone }}', {{ moment }}) as date){% endmacro %}
{# Spark's casts between dates and timestamps depend on the session's time zone. #}
{% macro spark__billing_date(moment, zone) %}
  date_from_unix_date(cast(floor(unix_micros(from_utc_timestamp({{ moment }}, '{{ zone }}')) / 86400000000) as int))
{% endmacro %}
{% macro snowflake__billing_date(moment, zone) %}cast(convert_timezone('{{ zone }}', {{ moment }}) as date){% endmacro %}
{% macro bigquery__billing_date(moment, zone) %}date({{ moment }}, '{{ zone }}'){% endmacro %}

{# The moment at which a date begins in the billing time zone. #}
{% macro midnight(day) %}{{ return(adapter.dispatch('midnight', 'emr_usage')(day, var('billing_time_zone'))) }}{% endmacro %}
{% macro default__midnight(day, zone) %}timezone('{{ zone }}', cast({{ day }} as timestamp)){% endmacro %}
{% macro spark__midnight(day, zone) %}to_utc_timestamp(timestamp_seconds(unix_date({{ day }}) * 86400), '{{ zone }}'){% endmacro %}
{% macro snowflake__midnight(day, zone) %}convert_timezone('{{ zone }}', 'UTC', cast({{ day }} as timestamp_ntz)){% endmacro %}
{% macro bigquery__midnight(day, zone) %}timestamp({{ day }}, '{{ zone }}'){% endmacro %}

{# The first day of a date's month, or its Monday. #}
{% macro first_of(part, day) %}{{ return(adapter.dispatch('first_of', 'emr_usage')(part, day)) }}{% endmacro %}
{% macro default__first_of(part, day) %}cast(date_trunc('{{ part }}', {{ day }}) as date){% endmacro %}
{# BigQuery's week begins on Sunday. #}
{% macro bigquery__first_of(part, day) %}date_trunc({{ day }}, {{ 'isoweek' if part == 'week' else part }}){% endmacro %}
