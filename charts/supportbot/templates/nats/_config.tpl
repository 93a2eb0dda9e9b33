{{/* nats.conf: one setting a line. */}}
{{- define "supportbot.nats.config" -}}
{{- $name := include "supportbot.nats.name" . -}}
server_name: $POD_NAME
port: 4222
# For kubelet's probes; NetworkPolicies let nobody else in.
http_port: 8222
pid_file: "/var/run/nats/nats.pid"
max_payload: 1MB
lame_duck_grace_period: 10s
lame_duck_duration: 30s
jetstream {
  store_dir: "/data"
  max_memory_store: 64MB
  max_file_store: {{ include "supportbot.nats.maxFile" . }}
  # By default the server acknowledges up to two minutes before it writes to the disk.
  sync_interval: always
}
{{- if .Values.nats.tls.enabled }}
tls {
  {{- include "supportbot.nats.tlsFiles" . | nindent 2 }}
}
{{- end }}
{{- if gt (int .Values.nats.replicas) 1 }}
cluster {
  name: {{ $name | quote }}
  port: 6222
  # All are listed; addresses that servers tell each other would not be in the certificate.
  no_advertise: true
  routes: [
    {{- range until (int .Values.nats.replicas) }}
    "nats-route://{{ $name }}-{{ . }}.{{ $name }}-headless.{{ $.Release.Namespace }}.svc:6222"
    {{- end }}
  ]
  tls {
    {{- include "supportbot.nats.tlsFiles" . | nindent 4 }}
    verify: true
  }
}
{{- end }}
# Operator, accounts and system account: made by the supportbot operator. Bots come and go without a change here.
include auth/auth.conf
{{- end -}}

{{- define "supportbot.nats.tlsFiles" -}}
cert_file: "/etc/nats/tls/tls.crt"
key_file: "/etc/nats/tls/tls.key"
ca_file: "/etc/nats/tls/ca.crt"
timeout: 5
{{- end -}}
