{{- define "supportbot.collector.config" -}}
{{- $exporters := .Values.otelCollector.exporters -}}
{{- if .Values.jaeger.enabled -}}
{{- $jaeger := dict "endpoint" (printf "%s-jaeger.%s.svc:4317" (include "supportbot.fullname" .) .Release.Namespace) "tls" (dict "insecure" true) -}}
{{- $exporters = merge (dict "otlp_grpc/jaeger" $jaeger) $exporters -}}
{{- end -}}
extensions:
  health_check: {endpoint: "0.0.0.0:13133"}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "0.0.0.0:4317"}
      http: {endpoint: "0.0.0.0:4318"}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20}
  batch: {}
exporters:
  {{- toYaml $exporters | nindent 2 }}
service:
  extensions: [health_check]
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus: {host: 0.0.0.0, port: 8888}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: {{ keys $exporters | sortAlpha | toJson }}
{{- end -}}
