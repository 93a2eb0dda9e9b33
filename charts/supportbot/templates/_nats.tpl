{{- define "supportbot.nats.name" -}}
{{ include "supportbot.fullname" . }}-nats
{{- end -}}

{{- define "supportbot.nats.url" -}}
{{- if .Values.nats.enabled -}}
{{ ternary "tls" "nats" .Values.nats.tls.enabled }}://{{ include "supportbot.nats.name" . }}.{{ .Release.Namespace }}.svc:4222
{{- else -}}
{{ .Values.nats.url }}
{{- end -}}
{{- end -}}

{{/* Every port of the URL, each once, as a JSON list. */}}
{{- define "supportbot.nats.ports" -}}
{{- $ports := list -}}
{{- range splitList "," (include "supportbot.nats.url" .) -}}
{{- $ports = append $ports (regexFind "[0-9]+$" . | int) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{/* The names in the servers' certificate, as a JSON list. */}}
{{- define "supportbot.nats.serverNames" -}}
{{- $names := list -}}
{{- if and .Values.nats.enabled .Values.nats.tls.enabled -}}
{{- $name := include "supportbot.nats.name" . -}}
{{- $names = list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "*.%s-headless.%s.svc" $name .Release.Namespace) -}}
{{- end -}}
{{- $names | toJson -}}
{{- end -}}

{{/* The Secret with what NATS wants from a user: filled by the operator, or that of an external NATS, or none. */}}
{{- define "supportbot.nats.authSecret" -}}
{{- if .Values.nats.enabled -}}
{{ include "supportbot.nats.name" . }}-auth
{{- else -}}
{{ .Values.nats.existingSecret }}
{{- end -}}
{{- end -}}

{{/* Whom clients reach, as NetworkPolicyPeers in JSON; empty means any address. */}}
{{- define "supportbot.nats.peers" -}}
{{- if .Values.nats.enabled -}}
{{ include "supportbot.peers" (dict "root" . "components" (list "nats")) }}
{{- else -}}
{{ .Values.networkPolicy.natsPeers | toJson }}
{{- end -}}
{{- end -}}
