//go:build tools

// Package tools holds what the checks of the manifests are made with. This file keeps the module in
// go.mod whose source has the custom resource definitions of PodMonitor and PrometheusRule; nothing of
// its code is built.
package tools

import _ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
