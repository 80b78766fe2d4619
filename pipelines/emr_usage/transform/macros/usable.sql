{# Whether a run's figure is plausible; true without a figure. Nothing ran before 1970, where times begin. #}
{% macro is_usable_figure(cu_hours, began_at) %}
(coalesce({{ cu_hours }}, 0) >= 0 and ({{ cu_hours }} is null or {{ emr_usage.epoch_us(began_at) }} >= 0))
{% endmacro %}
