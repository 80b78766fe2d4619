SELECT billing_time_zone FROM {marts}.stg_input_versions
