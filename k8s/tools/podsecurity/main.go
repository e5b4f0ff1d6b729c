// Evaluates every pod template in the given files of manifests as a cluster's own admission would
// in a namespace that enforces the "restricted" profile of the Pod Security Standards.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/pod-security-admission/admission"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

var restricted = api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}

type judge struct {
	evaluator policy.Evaluator
	pods      int
	forbidden int
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: podsecurity MANIFESTS...")
		os.Exit(2)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	exitOn(err)
	j := judge{evaluator: evaluator}
	for _, path := range os.Args[1:] {
		exitOn(j.file(path))
	}
	if j.forbidden > 0 {
		os.Exit(1)
	}
	if j.pods == 0 { // then something else is wrong, and silence would look like a pass
		exitOn(errors.New("no pod template in any of the files"))
	}
	fmt.Printf("%d pod templates pass %s\n", j.pods, restricted)
}

func (j *judge) file(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	documents := yaml.NewYAMLReader(bufio.NewReader(file))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			continue // a custom resource: none of those here has pods
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := j.object(path, object); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
}

func (j *judge) object(path string, object runtime.Object) error {
	kind := object.GetObjectKind().GroupVersionKind().Kind
	owner, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	metadata, spec, err := admission.DefaultPodSpecExtractor{}.ExtractPodSpec(object)
	if err != nil || spec == nil {
		return nil // the kind has no pods
	}
	j.pods++
	result := j.evaluate(metadata, spec)
	if !result.Allowed {
		j.forbidden++
		name := owner["metadata"].(map[string]any)["name"]
		fmt.Fprintf(os.Stderr, "%s: %s %v violates %s: %s\n", path, kind, name, restricted,
			result.ForbiddenDetail())
	}
	return nil
}

func (j *judge) evaluate(
	metadata *metav1.ObjectMeta, spec *corev1.PodSpec,
) policy.AggregateCheckResult {
	return policy.AggregateCheckResults(j.evaluator.EvaluatePod(restricted, metadata, spec))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "podsecurity:", err)
		os.Exit(2)
	}
}
