// One program with all commands of a cluster, chosen by the name it is called by: what they share is
// built and linked once.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// Kubernetes' own.
var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

// What a cluster needs beside them. Each takes exactly the arguments that it names.
var others = map[string]struct {
	arguments []string
	run       func(arguments []string) error
}{
	"etcd":     {[]string{"DIRECTORY", "CLIENT-URL", "PEER-URL"}, etcd},
	"dns":      {[]string{"ADDRESS"}, dns},
	"metrics":  {[]string{"ADDRESS", "PORT-OF-PODS"}, metrics},
	"policies": {[]string{"KUBECONFIG", "NODE"}, policies},
}

func main() {
	name := filepath.Base(os.Args[0])
	if other, ok := others[name]; ok {
		if len(os.Args)-1 != len(other.arguments) {
			fail(fmt.Errorf("usage: %s %v", name, other.arguments))
		}
		if err := other.run(os.Args[1:]); err != nil {
			fail(fmt.Errorf("%s: %w", name, err))
		}
		return
	}
	make, ok := commands[name]
	if !ok {
		fail(fmt.Errorf("%s: no such command", name))
	}
	if name == "kubectl" { // prints errors in a way of its own
		if err := cli.RunNoErrOutput(make()); err != nil {
			kubectlutil.CheckErr(err)
		}
		return
	}
	os.Exit(cli.Run(make()))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
