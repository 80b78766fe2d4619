SELECT spend.workspace_id, COALESCE(members.member_name, spend.creator) AS creator, spend.currency, spend.cu_hours,
  spend.estimated_cost, spend.job_runs, COUNT(*) OVER () AS of_all
FROM {marts}.spend_unallocated AS spend
LEFT JOIN {marts}.members AS members ON members.workspace_id = spend.workspace_id AND members.user_id = spend.creator
WHERE spend.billing_month = DATE '{first}'
ORDER BY COALESCE(spend.estimated_cost, 0) DESC, spend.cu_hours DESC, spend.workspace_id, spend.creator
LIMIT 10
