{{/* What the operator reads at its start; see OperatorConfig in operator/supportbot_operator/config.py. */}}
{{- define "supportbot.operator.config" -}}
{{- $name := include "supportbot.fullname" . -}}
release: {{ .Release.Name | quote }}
watchNamespaces: {{ include "supportbot.watchNamespaces" . }}
image:
  reference: {{ include "supportbot.image" (dict "root" . "image" .Values.image) | quote }}
  pullPolicy: {{ .Values.image.pullPolicy }}
  pullSecrets:
    {{- range .Values.imagePullSecrets }}
    - {{ .name | quote }}
    {{- else }} []
    {{- end }}
keysSecret: {{ $name }}-keys
leaseName: {{ $name }}-operator
deployment: {{ $name }}-operator
nats:
  url: {{ include "supportbot.nats.url" . | quote }}
  {{- with include "supportbot.nats.authSecret" . }}
  authSecret: {{ . | quote }}
  {{- end }}
  {{- if and .Values.nats.enabled .Values.nats.tls.enabled .Values.nats.tls.existingSecret }}
  tlsSecret: {{ .Values.nats.tls.existingSecret | quote }}
  {{- end }}
  managed: {{ .Values.nats.enabled }}
  serverNames: {{ include "supportbot.nats.serverNames" . }}
  checkSecret: {{ $name }}-nats-check
  peers: {{ include "supportbot.nats.peers" . }}
streams:
  lanes: {{ .Values.bots.streams.lanes }}
  replicas: {{ .Values.bots.streams.replicas | default (ternary .Values.nats.replicas 1 .Values.nats.enabled) }}
  bytes: {{ .Values.bots.streams.bytes | int64 }}
  mediaBytes: {{ .Values.bots.streams.mediaBytes | int64 }}
orphans:
  keepHours: {{ .Values.bots.streams.keepOrphansHours }}
otlp:
  endpoint: {{ include "supportbot.otlp.endpoint" . | quote }}
  peers: {{ include "supportbot.otlp.peers" . }}
networkPolicy:
  enabled: {{ .Values.networkPolicy.enabled }}
  dnsPeers: {{ .Values.networkPolicy.dnsPeers | toJson }}
  metricsPeers: {{ .Values.networkPolicy.metricsPeers | toJson }}
  apiPeers: {{ .Values.networkPolicy.apiPeers | toJson }}
podMonitor:
  enabled: {{ .Values.metrics.podMonitor.enabled }}
  interval: {{ .Values.metrics.podMonitor.interval }}
  labels: {{ .Values.metrics.podMonitor.labels | toJson }}
resources: {{ .Values.bots.resources | toJson }}
pods:
  nodeSelector: {{ .Values.bots.nodeSelector | toJson }}
  tolerations: {{ .Values.bots.tolerations | toJson }}
  affinity: {{ .Values.bots.affinity | toJson }}
  priorityClassName: {{ .Values.bots.priorityClassName | quote }}
demo:
  {{- if .Values.demo.enabled }}
  bot: {{ .Release.Namespace }}/demo
  deskURL: http://{{ $name }}-demo.{{ .Release.Namespace }}.svc:4990
  peers: {{ include "supportbot.peers" (dict "root" . "components" (list "demo")) }}
  {{- else }}
  bot: ""
  deskURL: ""
  peers: []
  {{- end }}
logLevel: {{ .Values.operator.logLevel }}
logFormat: {{ .Values.operator.logFormat }}
{{- end -}}
