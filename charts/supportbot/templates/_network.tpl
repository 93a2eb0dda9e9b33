{{/* The platform's own pods as NetworkPolicyPeers in JSON. (root, components) */}}
{{- define "supportbot.peers" -}}
{{- $peers := list -}}
{{- $root := .root -}}
{{- range .components -}}
{{- $pods := include "supportbot.selector" (dict "root" $root "component" .) | fromYaml -}}
{{- $namespace := dict "kubernetes.io/metadata.name" $root.Release.Namespace -}}
{{- $peers = append $peers (dict "namespaceSelector" (dict "matchLabels" $namespace) "podSelector" (dict "matchLabels" $pods)) -}}
{{- end -}}
{{- $peers | toJson -}}
{{- end -}}

{{/* The pods of all bots as one NetworkPolicyPeer in YAML. */}}
{{- define "supportbot.bots" -}}
{{- $namespaces := include "supportbot.watchNamespaces" . | fromJsonArray -}}
podSelector:
  matchLabels:
    app.kubernetes.io/managed-by: supportbot-operator
{{- if $namespaces }}
namespaceSelector:
  matchExpressions:
    - key: kubernetes.io/metadata.name
      operator: In
      values: {{ $namespaces | toJson }}
{{- else }}
namespaceSelector: {}
{{- end }}
{{- end -}}

{{/* A rule's peers; without any the rule is about every address. (key: from or to, peers: JSON) */}}
{{- define "supportbot.rulePeers" -}}
{{- with .peers | fromJsonArray }}
{{ $.key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Egress to DNS. */}}
{{- define "supportbot.toDNS" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
  {{- with include "supportbot.rulePeers" (dict "key" "to" "peers" (.Values.networkPolicy.dnsPeers | toJson)) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Egress to the Kubernetes API server, which is no pod: by port, and by address when it is given. */}}
{{- define "supportbot.toAPIServer" -}}
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with include "supportbot.rulePeers" (dict "key" "to" "peers" (.Values.networkPolicy.apiServerPeers | toJson)) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Egress to NATS. */}}
{{- define "supportbot.toNATS" -}}
- ports:
    {{- range include "supportbot.nats.ports" . | fromJsonArray }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with include "supportbot.rulePeers" (dict "key" "to" "peers" (include "supportbot.nats.peers" .)) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Egress to the receiver of traces, when there is one. */}}
{{- define "supportbot.toOTLP" -}}
{{- with include "supportbot.otlp.endpoint" . }}
- ports:
    - {port: {{ include "supportbot.port" . }}, protocol: TCP}
  {{- with include "supportbot.rulePeers" (dict "key" "to" "peers" (include "supportbot.otlp.peers" $)) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Ingress of whoever scrapes. (root, port) */}}
{{- define "supportbot.fromMetrics" -}}
{{- with .root.Values.networkPolicy.metricsPeers }}
- ports:
    - {port: {{ $.port }}, protocol: TCP}
  from:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}

{{/* The port of a URL, or its scheme's. */}}
{{- define "supportbot.port" -}}
{{- $host := get (urlParse .) "host" -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $host) | default (ternary "443" "80" (hasPrefix "https:" .)) -}}
{{- end -}}

{{/* Where traces go: the given receiver, the chart's collector, its Jaeger, or nowhere. */}}
{{- define "supportbot.otlp.endpoint" -}}
{{- if .Values.tracing.otlpEndpoint -}}
{{ .Values.tracing.otlpEndpoint }}
{{- else if .Values.otelCollector.enabled -}}
http://{{ include "supportbot.fullname" . }}-collector.{{ .Release.Namespace }}.svc:4318
{{- else if .Values.jaeger.enabled -}}
http://{{ include "supportbot.fullname" . }}-jaeger.{{ .Release.Namespace }}.svc:4318
{{- end -}}
{{- end -}}

{{- define "supportbot.otlp.peers" -}}
{{- if .Values.tracing.otlpEndpoint -}}
{{ .Values.tracing.peers | toJson }}
{{- else if .Values.otelCollector.enabled -}}
{{ include "supportbot.peers" (dict "root" . "components" (list "collector")) }}
{{- else if .Values.jaeger.enabled -}}
{{ include "supportbot.peers" (dict "root" . "components" (list "jaeger")) }}
{{- else -}}
[]
{{- end -}}
{{- end -}}
