{{/* Labels of an object. Takes (dict "root" $ "component" "controller"); without component for what belongs to no part. */}}
{{- define "couchestor.labels" -}}
{{- $root := .root -}}
{{- if eq (.component | default "") "exporter" }}
app: ceilometer-exporter
{{- else }}
app: couchestor
{{- end }}
{{- with .component }}
component: {{ . }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/name: couchestor
app.kubernetes.io/part-of: couchestor
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The labels by which pods are found: those of the installation guide, which a selector can never change. */}}
{{- define "couchestor.selector" -}}
{{- if eq .component "exporter" -}}
app: ceilometer-exporter
{{- else -}}
app: couchestor
component: {{ .component }}
{{- end }}
{{- end }}

{{/* Labels of a pod. Takes (dict "root" $ "component" … "extra" .Values.….podLabels). The selector's win. */}}
{{- define "couchestor.podLabels" -}}
{{- $selector := include "couchestor.selector" . | fromYaml -}}
{{- $standard := dict "app.kubernetes.io/name" "couchestor" "app.kubernetes.io/component" .component "app.kubernetes.io/instance" .root.Release.Name -}}
{{- toYaml (merge $selector $standard .extra .root.Values.commonLabels) }}
{{- end }}

{{/* The image of all components; a digest wins over the tag. */}}
{{- define "couchestor.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end }}
{{- end }}
{{- end }}

{{/* OS_* variables from the Secret of the credential, as the installation guide passes them. */}}
{{- define "couchestor.credentialEnv" -}}
{{- $name := .Values.credentials.secretName -}}
{{- range .Values.credentials.keys }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $name }}
      key: {{ . }}
{{- end }}
{{- range .Values.credentials.optionalKeys }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $name }}
      key: {{ . }}
      optional: true
{{- end }}
{{- end }}

{{/* Environment of the controller, which the doctor shares. */}}
{{- define "couchestor.controllerEnv" -}}
# Garbage is collected early, and the heap ends before the pod does.
- name: NODE_OPTIONS
  value: {{ .Values.controller.nodeOptions | quote }}
- name: COUCHESTOR_LOG_LEVEL
  value: {{ .Values.controller.logLevel }}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- if eq .Values.credentials.delivery "Environment" }}
{{- include "couchestor.credentialEnv" . }}
{{- end }}
{{- with .Values.controller.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What a container may do: nothing, as the restricted pod security standard has it. */}}
{{- define "couchestor.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The security context of pods that are not the controller's. */}}
{{- define "couchestor.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Fields of a pod that all components have. Takes the component's values and root. */}}
{{- define "couchestor.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Affinity of the controller: that of the values and the rule that keeps two of them from one node. */}}
{{- define "couchestor.controllerAffinity" -}}
{{- $affinity := deepCopy .Values.controller.affinity -}}
{{- $term := dict "labelSelector" (dict "matchLabels" (dict "app" "couchestor" "component" "controller")) "topologyKey" "kubernetes.io/hostname" -}}
{{- if eq .Values.controller.podAntiAffinity "Required" -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term)) -}}
{{- else if eq .Values.controller.podAntiAffinity "Preferred" -}}
{{- $preferred := dict "weight" 100 "podAffinityTerm" $term -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list $preferred)) -}}
{{- end -}}
{{- with $affinity }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* config.yaml: the values, and the Secret that `credentials` names. */}}
{{- define "couchestor.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $openstack := get $config "openstack" | default dict -}}
{{- $_ := set $openstack "credential_ref" (dict "secret_name" .Values.credentials.secretName "namespace" .Release.Namespace) -}}
{{- $_ := set $config "openstack" $openstack -}}
{{- $first := list "cloud_provider" "openstack" "prometheus" "gnocchi" "tiers" "migration" -}}
{{- $rest := without (keys $config | sortAlpha) "cloud_provider" "openstack" "prometheus" "gnocchi" "tiers" "migration" -}}
{{- range $i, $section := concat $first $rest }}
{{- if hasKey $config $section }}
{{- if $i }}
{{ end }}
{{- if eq $section "prometheus" }}
# Set the address. The preset says where the counters of each volume come from: agent, node-exporter, libvirt, ceph-rbd, custom.
{{- else if eq $section "tiers" }}
# What a StoragePolicy leaves out of its tiers.
{{- else if eq $section "migration" }}
# migration.paused is the stop switch for everything: true starts no move any more, what runs is finished.
{{- end }}
{{ toYaml (pick $config $section) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Ports of the addresses that config.yaml names; nothing for a URL without one, whose port is in the values. */}}
{{- define "couchestor.portOf" -}}
{{- $host := (urlParse .).host -}}
{{- if regexMatch ":[0-9]+$" $host }}{{ regexFind "[0-9]+$" $host }}{{ else if hasPrefix "http:" . }}80{{ else }}443{{ end }}
{{- end }}

{{/* Rules of a NetworkPolicy's egress to ports on the allowed addresses. Takes (dict "root" $ "ports" (list …)). */}}
{{- define "couchestor.egressTo" -}}
- to:
    {{- range .root.Values.networkPolicy.egressCidrs }}
    - ipBlock:
        cidr: {{ . | quote }}
    {{- end }}
  ports:
    {{- $seen := list }}
    {{- range .ports }}
    {{- if not (has (int .) $seen) }}
    {{- $seen = append $seen (int .) }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
    {{- end }}
{{- end }}

{{/* Egress to DNS. Any address: it may be a node's own cache. */}}
{{- define "couchestor.egressToDns" -}}
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - protocol: UDP
      port: {{ . }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end }}

{{/* Name, labels and annotations of what is made for `helm test` only, before its pod. */}}
{{- define "couchestor.doctorMetadata" -}}
name: couchestor-doctor
labels:
  {{- include "couchestor.labels" (dict "root" . "component" "doctor") | trim | nindent 2 }}
annotations:
  helm.sh/hook: test
  helm.sh/hook-weight: '-1'
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
