"""Which test injects which fault, and that each of them is there.

The faults are those that people of this field report again and again; what must come of each is said beside it.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

FAULTS: dict[str, list[str]] = {
    # Processes and disks
    "the server is killed in any step: a retry finishes it, nothing is done twice": [
        "localcloud/faults/test_pipeline_killed.py::test_a_killed_server_leaves_an_execution_that_a_retry_finishes",
        "localcloud/faults/test_engine_killed.py::test_after_a_kill_the_execution_is_failed_and_a_retry_finishes_it",
        "localcloud/faults/test_engine_killed.py::test_a_kill_inside_of_registermodel_registers_one_version",
        "lambdas/faults/test_deploy_races.py::test_a_run_that_was_killed_before_any_state_is_finished_by_the_next",
        "stories/test_endpoints.py::test_an_endpoint_survives_kill_9_and_a_clean_restart",
        "pipelines/runs/test_upsert.py::test_an_upsert_completes_an_upload_that_broke_off_and_adds_missing_tags",
        "localcloud/faults/test_killed_while_writing.py::test_an_upsert_that_is_killed_is_completed_by_the_next",
        "localcloud/faults/test_killed_while_writing.py::"
        "test_a_server_that_is_killed_while_it_writes_captured_records_leaves_no_half_file",
    ],
    "the disk is full (data, training, capture, registry): a named error, and what was there stays": [
        "localcloud/faults/test_full_disks.py::test_a_full_database_is_named_and_takes_writes_again_when_there_is_room",
        "localcloud/faults/test_full_disks.py::"
        "test_when_the_disk_is_full_at_a_jobs_end_step_and_execution_end_all_the_same",
        "localcloud/faults/test_full_disks.py::"
        "test_on_a_disk_that_is_really_full_an_execution_ends_and_no_other_begins",
        "localcloud/faults/test_job_disks.py::test_a_job_that_fills_its_tmp_is_ended_and_says_which_disk_is_full",
        "localcloud/faults/test_endpoint_request_faults.py::"
        "test_capture_that_s3_does_not_take_never_fails_an_invocation",
        "steps/faults/test_archives.py::test_a_failure_while_images_are_written_leaves_nothing",
        "infra/test_doctor.py::test_a_full_disk_is_a_problem",
    ],
    "an artifact is torn (model, JSON, list, archive): it is refused, not consumed": [
        "localcloud/sagemaker/jobs/test_archives.py::test_a_torn_archive_is_refused",
        "localcloud/faults/test_transform_faults.py::test_a_torn_model_fails_the_job_by_its_name",
        "localcloud/faults/test_image_classification_faults.py::test_wrong_lst",
        "localcloud/faults/test_engine_faults.py::test_a_metric_that_is_not_there_fails_the_gate_and_registers_nothing",
        "localcloud/faults/test_full_disks.py::test_a_database_that_lost_its_content_is_refused_by_its_name",
        "steps/faults/test_archives.py::test_a_truncated_archive",
    ],
    "a folder is read-only, vanishes, or has spaces and other letters in its name": [
        "localcloud/faults/test_state_folders.py::test_a_read_only_state_folder_is_one_line_with_its_name",
        "localcloud/faults/test_state_folders.py::test_two_clouds_at_once_share_nothing_and_servers_that_hang_are_told",
        "localcloud/test_record.py::test_a_folder_that_cannot_be_made_is_named",
        "scones/desk/test_data.py::test_a_cache_that_cannot_be_written_is_kept_in_memory",
        "lambdas/faults/test_bad_input.py::test_a_strange_key_is_asked_for_as_it_is",
    ],
    "two servers on one folder, or the lock's holder died: never both": [
        "localcloud/faults/test_local_cloud_faults.py::test_two_clouds_on_one_state_folder_are_refused_with_the_pids",
        "localcloud/faults/test_local_cloud_faults.py::test_a_stale_record_with_reused_process_numbers_harms_nobody",
        "localcloud/test_record.py::test_a_second_command_on_the_folder_gives_up_after_its_patience",
    ],
    "the clock jumps: hours are analysed once, records are written in time": [
        "localcloud/faults/test_clock_jumps.py::test_captured_records_are_written_in_time_whatever_the_clock_says",
        "localcloud/faults/test_clock_jumps.py::test_a_cached_result_is_as_old_as_the_clock_says_and_never_too_young",
        "localcloud/faults/test_clock_jumps.py::test_a_bake_lasts_as_long_as_it_should_whatever_the_clock_says",
        "localcloud/faults/test_clock_jumps.py::test_an_alarm_follows_its_metric_again_after_a_jump",
        "localcloud/faults/test_clock_jumps.py::test_the_monitor_does_every_hour_once_over_jumps_of_the_clock",
        "monitoring/faults/test_captures.py::test_clocks_that_go_backwards_are_read_as_they_are",
    ],
    "SIGTERM and Ctrl-C: children end, the status is Stopped, the exit code is not 0": [
        "scones/cli/test_interrupted.py::test_a_signal_ends_a_wait_with_one_line_and_130",
        "scones/cli/test_interrupted.py::test_every_wait_says_what_goes_on",
        "localcloud/faults/test_local_cloud_faults.py::test_interrupting_up_leaves_nothing_behind",
        "localcloud/faults/test_job_ends.py::test_a_shut_down_ends_jobs_and_their_processes",
        "localcloud/faults/test_job_ends.py::test_a_stopped_job_is_stopping_and_then_stopped_and_its_process_is_gone",
    ],
    # Data and training
    "a download breaks off, is wrong, slow or refused": [
        "scones/data/test_fetch.py::test_a_connection_that_breaks_is_taken_up_where_it_broke",
        "scones/data/test_fetch.py::test_a_download_goes_on_where_the_last_command_was_stopped",
        "scones/data/test_fetch.py::test_wrong_content_is_deleted",
        "scones/data/test_fetch.py::test_an_error_status_is_named",
        "scones/data/test_fetch.py::test_a_host_that_goes_silent_is_given_up",
        "scones/data/test_fetch.py::test_what_is_there_already_is_not_fetched_again",
    ],
    "a training diverges, leaves no model, fails, hangs, is killed or says why": [
        "steps/faults/test_train.py::test_diverging_training_is_a_failure_and_not_a_model",
        "localcloud/faults/test_image_classification_faults.py::test_training_that_diverges_leaves_no_model_of_nans",
        "localcloud/faults/test_job_faults.py::"
        "test_a_training_job_without_a_model_completes_and_the_model_cannot_be_made",
        "localcloud/faults/test_job_faults.py::test_a_training_job_gives_its_failure_file_as_the_reason",
        "localcloud/faults/test_job_faults.py::test_a_program_that_is_killed_says_so",
        "localcloud/faults/test_job_faults.py::test_a_job_that_is_held_still_is_ended_when_its_time_is_over",
        "localcloud/faults/test_job_ends.py::test_a_job_that_runs_over_its_time_is_ended",
        "localcloud/sagemaker/jobs/test_failure_reasons.py::"
        "test_out_of_memory_is_told_from_an_error_and_from_another_kill",
    ],
    "the evaluation has no model, or no finite metric: the run fails, and the gate stays shut": [
        "steps/test_evaluate.py::test_a_missing_or_wrong_prediction_fails_the_job",
        "localcloud/faults/test_engine_faults.py::"
        "test_the_gate_opens_at_the_threshold_and_never_for_what_is_not_finite",
        "localcloud/faults/test_engine_faults.py::test_a_metric_that_is_not_there_fails_the_gate_and_registers_nothing",
    ],
    # Pipeline and builds
    "the gate says no: nothing is registered, and the exit code is its own": [
        "stories/test_whole_pipeline.py::test_a_gate_that_says_no_exits_3_and_registers_nothing",
        "localcloud/faults/test_engine_faults.py::test_a_failed_gate_fails_again_when_it_is_retried",
    ],
    "a cached result is stale in any way: a miss each time, and a hit when nothing changed": [
        "localcloud/sagemaker/engine/test_cached_runs.py::"
        "test_what_changes_an_input_makes_the_step_and_those_behind_it_miss",
        "localcloud/sagemaker/engine/test_cached_runs.py::test_a_failed_run_is_never_a_hit",
        "localcloud/sagemaker/engine/test_cached_runs.py::test_an_expired_result_and_one_whose_job_is_gone_are_no_hits",
        "localcloud/sagemaker/engine/test_cached_runs.py::test_a_second_run_takes_every_result_from_the_first",
        "stories/test_whole_pipeline.py::test_a_changed_parameter_misses_from_its_step_on",
    ],
    "a build runs twice, during an execution, without a change, or with a refused definition": [
        "stories/test_build_commands.py::"
        "test_its_commands_deploy_everything_within_the_builds_role_and_a_second_push_changes_nothing",
        "localcloud/faults/test_update_while_running.py::"
        "test_a_running_execution_keeps_its_definition_and_the_next_one_takes_the_new",
        "pipelines/runs/test_upsert.py::test_an_upsert_without_a_change_makes_no_version",
        "pipelines/faults/test_account.py::test_an_upsert_that_is_refused_fails_with_the_apis_own_reason",
        "pipelines/faults/test_at_once.py::test_eight_first_upserts_at_once_are_eight_versions",
    ],
    "a role, permission, region or token is wrong, or the service throttles": [
        "pipelines/faults/test_account.py::test_a_missing_permission_names_action_and_resource_as_aws_does",
        "pipelines/faults/test_account.py::test_an_expired_token_is_one_line_with_the_fix",
        "pipelines/faults/test_account.py::test_throttling_that_ends_is_waited_for",
        "pipelines/faults/test_account.py::test_throttling_that_does_not_end_comes_to_an_end",
        "pipelines/faults/test_account.py::test_credentials_of_another_account_lead_to_other_names_not_to_a_mixture",
        "infra/test_doctor.py::test_a_missing_pass_role_is_named_with_action_role_and_caller",
        "infra/test_doctor.py::test_a_role_that_is_missing_or_trusts_somebody_else_is_a_problem",
    ],
    # Registry and deployment
    "events of approvals come twice, late, out of order, withdrawn, malformed or for somebody else": [
        "lambdas/deploy/test_plan.py::test_a_duplicate_or_late_event_is_a_logged_no_op",
        "lambdas/deploy/test_plan.py::test_out_of_order_approvals_end_with_the_newest",
        "lambdas/deploy/test_plan.py::test_an_approval_withdrawn_before_the_run_changes_nothing",
        "lambdas/deploy/test_plan.py::test_another_groups_event_is_nobodys_business_here",
        "lambdas/faults/test_deploy.py::test_a_malformed_arn_fails_by_name",
        "lambdas/faults/test_deploy_races.py::test_two_runs_of_one_approval_deploy_once",
    ],
    "an update is refused, fails, or is rolled back in silence: a failure, and the live model stays": [
        "lambdas/faults/test_deploy_races.py::test_an_update_already_under_way_is_waited_for",
        "lambdas/faults/test_deploy.py::test_a_silent_rollback_is_a_failure_and_leaves_no_trace",
        "lambdas/faults/test_deploy.py::test_an_endpoint_that_never_becomes_healthy_is_taken_away",
        "stepfunctions/test_executions.py::test_a_silent_rollback_fails_the_deployment",
        "localcloud/faults/test_endpoint_update_faults.py::"
        "test_an_update_to_a_broken_model_keeps_what_is_live_and_says_why",
        "localcloud/faults/test_endpoint_restarts.py::"
        "test_a_clean_restart_serves_what_was_in_service_and_gives_up_an_update",
    ],
    "an alarm rings in the bake, or a worker crashes: back to the old fleet, with no request lost": [
        "localcloud/faults/test_endpoint_update_faults.py::test_an_alarm_while_baking_brings_the_old_fleet_back",
        "localcloud/faults/test_endpoint_update_faults.py::"
        "test_a_new_process_that_crashes_while_it_is_watched_brings_the_old_fleet_back",
        "localcloud/faults/test_endpoint_faults.py::test_a_model_that_never_answers_ping_fails_the_endpoint",
        "localcloud/faults/test_endpoint_faults.py::test_with_two_instances_no_request_fails_when_one_is_killed",
        "localcloud/sagemaker/endpoints/test_deployment.py::"
        "test_no_request_fails_while_the_endpoint_is_updated_under_load",
        "stories/test_withdrawal_story.py::test_a_new_fleet_whose_alarm_rings_while_it_bakes_goes_back",
    ],
    "the model is gone before its deployment, or what one goes back to is broken": [
        "lambdas/faults/test_deploy.py::test_a_package_deleted_before_the_run_fails_by_name",
        "lambdas/faults/test_deploy.py::test_a_model_for_other_classes_is_not_deployed",
        "lambdas/faults/test_withdrawn_approvals.py::"
        "test_a_version_that_cannot_be_put_back_leaves_nothing_live_and_people_are_told",
        "localcloud/faults/test_endpoint_faults.py::test_model_data_that_is_gone_or_no_archive_fails_the_endpoint",
    ],
    # Inference and workflows
    "the endpoint is slow, busy, away, or answers with something else": [
        "lambdas/test_functions.py::test_every_trouble_at_the_endpoint_has_its_outcome",
        "lambdas/test_functions.py::test_a_slow_endpoint_is_a_time_out_of_its_own",
        "stepfunctions/test_executions.py::test_throttling_is_tried_again_until_it_ends",
        "stepfunctions/test_executions.py::test_a_refusal_by_the_model_is_not_tried_again",
        "localcloud/faults/test_endpoint_request_faults.py::"
        "test_a_model_that_closes_the_connection_or_does_not_speak_http_is_a_model_error",
    ],
    "a function is called twice, at once with others, or crashes": [
        "lambdas/test_functions.py::test_the_same_call_twice_gives_the_same_answer",
        "stepfunctions/test_executions.py::test_concurrent_executions_do_not_mix",
        "infra/test_lambda_packages.py::test_every_handler_can_be_imported_from_the_zip_alone",
        "lambdas/faults/test_deploy.py::test_a_crash_of_the_function_is_undone_like_any_failure",
        "lambdas/faults/test_broken_pictures.py::test_what_nobody_expected_costs_one_picture_too",
    ],
    "a state grows beyond what Step Functions takes": [
        "localcloud/stepfunctions/test_executions.py::test_a_result_beyond_the_limit_can_be_caught",
        "lambdas/test_functions.py::test_a_huge_object_is_refused_by_its_length_alone",
        "lambdas/faults/test_bad_input.py::test_a_huge_event_is_refused",
        "lambdas/serialize_image/test_picture.py::test_too_many_bytes_are_refused_before_reading_them",
    ],
    "the model is not sure: a named failure of the execution, told from a broken filter": [
        "stepfunctions/test_executions.py::test_low_confidence_fails_loudly_and_alerts",
        "stories/test_serving_story.py::test_what_is_no_picture_is_told_apart_from_low_confidence",
        "lambdas/faults/test_bad_input.py::test_inferences_that_are_no_probabilities_are_refused",
        "lambdas/faults/test_bad_input.py::test_a_threshold_that_is_no_fraction_is_refused",
    ],
    "an execution is started twice under one name": [
        "pipelines/faults/test_at_once.py::test_eight_starts_with_one_name_are_one_execution",
        "pipelines/faults/test_at_once.py::test_eight_jobs_of_one_name_are_one_and_so_are_eight_starts_with_one_token",
    ],
    # Capture and monitor
    "captured files are cut, gone, empty, compressed, strange, doubled or called otherwise": [
        "monitoring/faults/test_captures.py::test_a_bad_line_is_counted_and_named_and_its_neighbours_are_read",
        "monitoring/faults/test_captures.py::test_a_file_cut_in_the_middle_of_a_line_gives_what_came_before",
        "monitoring/faults/test_captures.py::test_a_cut_gzip_file_gives_what_came_before_and_is_named",
        "monitoring/faults/test_captures.py::test_a_file_that_vanishes_is_named_and_the_others_are_read",
        "monitoring/faults/test_captures.py::test_an_empty_file_and_blank_lines_are_nothing",
        "monitoring/faults/test_captures.py::test_an_empty_answer_is_missing_not_wrong",
        "monitoring/faults/test_captures.py::test_files_of_other_names_are_named_and_not_opened",
        "monitoring/analysis/test_capture.py::test_an_event_counts_once_also_across_files_and_processes",
        "monitoring/analysis/test_ground_truth.py::test_labels_for_what_was_never_captured_are_counted_and_named",
    ],
    "there is nothing or too little to judge by: an outcome of its own, and never healthy": [
        "monitoring/analysis/test_job.py::test_too_little_to_judge_is_neither_healthy_nor_a_failure",
        "monitoring/analysis/test_job.py::test_a_folder_that_was_never_written_has_no_data",
        "monitoring/analysis/test_job.py::test_nothing_but_unreadable_lines_is_never_healthy",
        "monitoring/analysis/test_job.py::test_another_number_of_classes_is_named",
        "monitoring/analysis/test_ground_truth.py::test_too_few_labels_are_outcomes_of_their_own",
        "monitoring/measures/test_distance.py::test_nothing_has_no_distance",
    ],
    "runs of the monitor overlap, are missed, or their alert cannot be sent": [
        "localcloud/faults/test_monitoring_faults.py::"
        "test_an_execution_waits_until_the_one_before_has_ended_and_then_covers_the_time_between",
        "localcloud/sagemaker/monitoring/test_cron.py::test_hours_that_were_missed_are_one_window",
        "lambdas/alert/test_incidents.py::test_what_could_not_be_told_is_told_by_the_next_attempt",
        "lambdas/alert/test_incidents.py::test_of_two_that_report_at_the_same_moment_one_tells",
        "lambdas/monitor/test_attach.py::test_a_schedule_keeps_what_it_cannot_deliver",
        "lambdas/monitor/test_attach.py::test_two_runs_that_attach_at_once_both_succeed",
    ],
    "the traffic drifts: it is found at a stated size, with a stated rate of false alarms": [
        "monitoring/analysis/test_job.py::test_each_kind_of_drift_is_named_by_its_feature",
        "monitoring/analysis/test_job.py::test_ordinary_traffic_is_healthy",
        "monitoring/analysis/test_job.py::test_a_drift_says_how_far_and_how_far_is_allowed",
        "monitoring/measures/test_distance.py::test_robust_alone_raises_a_false_alarm_in_about_three_of_a_thousand",
    ],
    # What serves
    "a port is taken, a client is slow or one of fifty, a server hangs or is drained": [
        "localcloud/faults/test_local_cloud_faults.py::test_a_port_in_use_is_one_line_and_nothing_is_left_running",
        "localcloud/faults/test_endpoint_request_faults.py::test_a_client_that_is_slow_holds_up_nobody_and_is_given_up",
        "localcloud/faults/test_endpoint_request_faults.py::test_fifty_clients_at_once_all_get_their_own_answers",
        "localcloud/programs/test_serving.py::test_sigterm_finishes_what_is_running_and_takes_nothing_new",
        "localcloud/faults/test_endpoint_faults.py::test_a_process_that_hangs_is_replaced",
    ],
    "a page has no data, damaged data, or texts that are markup": [
        "scones/desk/test_views.py::test_a_page_says_no_data_when_there_is_none",
        "scones/desk/test_views.py::test_damaged_files_are_named_and_hide_nothing",
        "scones/reports/test_monitor_page.py::test_damaged_lines_are_listed_and_hostile_texts_are_shown_as_text",
        "scones/reports/test_execution_page.py::test_markup_in_any_field_is_shown_as_text",
        "stories/desk/test_pages.py::test_markup_in_captured_traffic_is_text_on_every_page",
        "stories/test_report_browser.py::test_charts_are_drawn_when_they_come_into_view_and_names_are_text",
    ],
    "an archive has links, devices, absolute names, or names that lead out of it": [
        "localcloud/sagemaker/jobs/test_archives.py::"
        "test_an_archive_with_a_hostile_member_is_refused_before_anything_is_written",
        "localcloud/sagemaker/jobs/test_archives.py::test_an_absolute_name_is_refused_even_if_it_is_in_the_folder",
        "steps/faults/test_archives.py::test_a_link_or_a_device",
    ],
    "other people and clones use the same machine": [
        "localcloud/test_private.py::test_all_that_is_stored_is_its_owners_alone_whatever_the_umask",
        "scones/cli/test_shared_machine.py::test_a_command_writes_only_to_a_folder_of_its_own_and_leaves_nothing",
    ],
}
"""A fault and what must come of it, and the tests that inject it, as `file::test` below tests/."""


@pytest.mark.parametrize("fault", FAULTS)
def test_the_tests_that_inject_a_fault_are_there(fault: str) -> None:
    named = [test.partition("::")[::2] for test in FAULTS[fault]]
    assert [f"{file}::{test}" for file, test in named if test not in _functions(TESTS / file)] == []
    assert len(named) == len(set(named)) > 0


def _functions(file: Path) -> set[str]:
    """Names of all functions in a file of tests, those of its classes among them."""
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
