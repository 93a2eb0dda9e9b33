{{/* An identity without any right. (root, component, name) */}}
{{- define "supportbot.plainAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "supportbot.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}
