-- signals: what deserves a look, with the rule in words. $last_day: the last complete local day.

DELETE FROM signals;

INSERT INTO signals BY NAME
WITH open_work AS (
    SELECT project_key, count(*) AS wip,
           count(*) FILTER (sle_state = 'past') / nullif(count(*) FILTER (sle_state IS NOT NULL), 0) AS past_share,
           count(*) FILTER (is_blocked) AS blocked, count(*) FILTER (is_stale) AS stale, count(*) FILTER (is_parked) AS parked
    FROM aging_wip GROUP BY ALL
),
last_four_weeks AS (
    SELECT project_key, sum(net_flow) AS net, sum(started_issues) AS started,
           arg_max(wip_clock, metric_date) AS wip_now
    FROM daily_flow WHERE metric_date BETWEEN $last_day - 27 AND $last_day GROUP BY ALL
),
last_week AS (
    SELECT project_key, arg_max(xmr_signal, week_start) FILTER (xmr_signal IS NOT NULL AND recency = 1) AS xmr_signal, max(mean_issues) AS mean_issues,
           max(done_issues) FILTER (recency = 1) AS done_issues
    FROM (SELECT *, row_number() OVER (PARTITION BY project_key ORDER BY week_start DESC) AS recency FROM throughput_weekly WHERE is_complete_week)
    GROUP BY ALL
),
month_ahead AS (
    SELECT project_key, max(value) FILTER (percentile = 95) / nullif(max(value) FILTER (percentile = 50), 0) AS predictability
    FROM forecasts WHERE kind = 'how_many' GROUP BY ALL
),
track_record AS (
    SELECT project_key, count(*) FILTER (held) / count(*) AS held_share, count(*) AS forecasts FROM forecast_backtest GROUP BY ALL
),
judged AS (
    SELECT project_key, 'aging' AS signal, past_share AS value,
           CASE WHEN past_share > 0.3 THEN 'act' WHEN past_share > 0.15 THEN 'watch' WHEN past_share IS NOT NULL THEN 'ok' END AS state,
           'Share of open work older than the service level expectation: over 15 % watch, over 30 % act.' AS rule
    FROM open_work
    UNION ALL
    SELECT project_key, 'blocked', blocked, CASE WHEN blocked > 0.2 * wip THEN 'act' WHEN blocked > 0 THEN 'watch' ELSE 'ok' END,
           'Flagged open work: any watch, over 20 % of work in progress act.' FROM open_work
    UNION ALL
    SELECT project_key, 'stale', stale, CASE WHEN stale > 0.3 * wip THEN 'act' WHEN stale > 0 THEN 'watch' ELSE 'ok' END,
           'Open work without any update for stale_days: any watch, over 30 % of work in progress act.' FROM open_work
    UNION ALL
    SELECT project_key, 'parked', parked, CASE WHEN parked > 0.2 * wip THEN 'act' WHEN parked > 0 THEN 'watch' ELSE 'ok' END,
           'Started work that lies in To Do again: any watch, over 20 % of work in progress act.' FROM open_work
    UNION ALL
    SELECT project_key, 'net_flow', net,
           CASE WHEN net > 0.2 * greatest(wip_now - net, 1) THEN 'act' WHEN net > 0.05 * greatest(wip_now - net, 1) THEN 'watch' ELSE 'ok' END,
           'Growth of work in progress over the last 28 days: more than 5 % watch, more than 20 % act.' FROM last_four_weeks
    UNION ALL
    SELECT project_key, 'throughput', done_issues,
           CASE WHEN xmr_signal = 'outside_limits' THEN 'act' WHEN xmr_signal IS NOT NULL THEN 'watch' WHEN mean_issues IS NOT NULL THEN 'ok' END,
           'Throughput of the last complete week: outside its natural process limits act, another run rule watch.' FROM last_week
    UNION ALL
    SELECT project_key, 'predictability', predictability,
           CASE WHEN predictability < 0.4 THEN 'act' WHEN predictability < 0.6 THEN 'watch' WHEN predictability IS NOT NULL THEN 'ok' END,
           'P95 / P50 of the 30-day forecast: below 0.6 watch, below 0.4 the forecast is not to be trusted.' FROM month_ahead
    UNION ALL
    SELECT project_key, 'forecast_record', held_share,
           CASE WHEN forecasts < 6 THEN NULL WHEN held_share < 0.6 THEN 'act' WHEN held_share < 0.75 THEN 'watch' ELSE 'ok' END,
           'Share of past 30-day forecasts at 85 % that held, from 6 on: below 75 % watch, below 60 % act.' FROM track_record
)
SELECT project_key, signal, state, value, rule FROM judged WHERE state IS NOT NULL;
