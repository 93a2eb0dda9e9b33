{{- define "supportbot.jaeger.config" -}}
extensions:
  healthcheckv2:
    use_v2: true
    http: {endpoint: "0.0.0.0:13133"}
  jaeger_storage:
    backends:
      memory:
        memory: {max_traces: {{ .Values.jaeger.maxTraces | int64 }}}
  jaeger_query:
    storage: {traces: memory}
    http: {endpoint: "0.0.0.0:16686"}
    grpc: {endpoint: "127.0.0.1:16685"}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "0.0.0.0:4317"}
      http: {endpoint: "0.0.0.0:4318"}
processors:
  batch: {}
exporters:
  jaeger_storage_exporter: {trace_storage: memory}
service:
  extensions: [healthcheckv2, jaeger_storage, jaeger_query]
  telemetry:
    metrics: {level: none}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [jaeger_storage_exporter]
{{- end -}}
