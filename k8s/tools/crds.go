//go:build tools

// Package tools holds what the checks of the manifests are made with. This file keeps those modules in go.mod
// whose source has the custom resource definitions of PodMonitor and PrometheusRule, HTTPRoute, and ScaledObject;
// nothing of their code is built.
package tools

import (
	_ "github.com/kedacore/keda/v2/version"
	_ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
	_ "sigs.k8s.io/gateway-api/pkg/consts"
)
