{{/* The pod that applies the demo's SupportBot and its Secret. */}}
{{- define "supportbot.demo.pod" -}}
{{- $name := printf "%s-demo" (include "supportbot.fullname" .) -}}
{{- $part := dict "root" . "component" "demo-bot" "settings" .Values.demo "account" (printf "%s-bot" $name) "token" true -}}
metadata:
  labels:
    {{- include "supportbot.podLabels" $part | nindent 4 }}
spec:
  {{- include "supportbot.pod" $part | nindent 2 }}
  restartPolicy: OnFailure
  containers:
    - name: bot
      image: {{ include "supportbot.image" (dict "root" . "image" .Values.image) }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command: [python, -m, supportbot_operator.demo_bot]
      args: [--namespace={{ .Release.Namespace }}, --owner={{ $name }}]
      resources:
        {{- toYaml .Values.demo.resources | nindent 8 }}
      {{- include "supportbot.containerSecurity" . | nindent 6 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 16Mi}
{{- end -}}
