"""What is in queues and what happens to them, for monitoring.

`rocksq.metrics.prometheus` has a collector for prometheus_client, `rocksq.metrics.opentelemetry`
has instruments for OpenTelemetry; the extras `rocksq[prometheus]` and `rocksq[opentelemetry]` bring
these libraries. Both show the same, one series for each queue:

| Prometheus | OpenTelemetry | |
|---|---|---|
| `rocksq_items` | `rocksq.items` | items in the queue |
| `rocksq_payload_bytes` | `rocksq.payload` | their bytes |
| `rocksq_disk_bytes` | `rocksq.disk` | bytes on the file system |
| `rocksq_oldest_item_age_seconds` | `rocksq.oldest_item.age` | not shown when the queue is empty |
| `rocksq_pushed_items_total` | `rocksq.pushed_items` | items pushed |
| `rocksq_popped_items_total` | `rocksq.popped_items` | items taken; read, on an MPMC queue |
| `rocksq_returned_items_total` | `rocksq.returned_items` | items of these that were given back |
| `rocksq_dropped_items_total` | `rocksq.dropped_items` | items dropped to make room |
| `rocksq_expired_items_total` | `rocksq.expired_items` | items lost to the TTL |
| `rocksq_rejected_items_total` | `rocksq.rejected_items` | items of pushes that failed |
| `rocksq_log_written_bytes_total` | `rocksq.log_written` | bytes written to RocksDB's log |
| `rocksq_table_written_bytes_total` | `rocksq.table_written` | bytes written to its tables |
| `rocksq_errors_total` | `rocksq.errors` | writes and syncs that failed |
| `rocksq_label_lag_items` | `rocksq.label_lag.items` | items that a label has not read |
| `rocksq_label_lag_bytes` | `rocksq.label_lag.payload` | their bytes |

The label or attribute `queue` tells the queue, `label` the label. Counters count from the opening
of the queue. A queue that is closed is left out.
"""
