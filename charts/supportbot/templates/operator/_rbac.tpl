{{/*
What the operator does in a namespace with bots, verb by verb. It reads children by watches only, and applies them, for
which Kubernetes asks for create and patch. Secrets are read by name, never listed, and go with their bot.
*/}}
{{- define "supportbot.operator.rules" -}}
- apiGroups: [supportbot.dev]
  resources: [supportbots]
  verbs: [get, list, watch]
- apiGroups: [supportbot.dev]
  resources: [supportbots/status]
  verbs: [patch]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, configmaps, serviceaccounts]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [get, create, patch, delete]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* The binding's subject. */}}
{{- define "supportbot.operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "supportbot.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
