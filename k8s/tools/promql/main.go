// Parses PromQL expressions, one JSON string a line on the standard input, by Prometheus' own
// parser. Prints for each a JSON object a line: the error, or the selectors with their matchers and
// the names of all labels that the expression groups, joins or aggregates by.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

type matcher struct {
	Label string `json:"label"`
	Kind  string `json:"kind"` // =, !=, =~ or !~
	Value string `json:"value"`
}

type selector struct {
	Metric   string    `json:"metric"`
	Matchers []matcher `json:"matchers"`
}

type answer struct {
	Error     string     `json:"error,omitempty"`
	Selectors []selector `json:"selectors"`
	Labels    []string   `json:"labels"`
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var expression string
		exitOn(json.Unmarshal(input.Bytes(), &expression))
		exitOn(output.Encode(read(expression)))
	}
	exitOn(input.Err())
}

func read(text string) answer {
	expression, err := parser.ParseExpr(text)
	if err != nil {
		return answer{Error: err.Error(), Selectors: []selector{}, Labels: []string{}}
	}
	read := answer{Selectors: []selector{}}
	names := map[string]bool{}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			read.Selectors = append(read.Selectors, selectorOf(node))
		case *parser.AggregateExpr:
			note(names, node.Grouping)
		case *parser.BinaryExpr:
			if node.VectorMatching != nil {
				note(names, node.VectorMatching.MatchingLabels)
				note(names, node.VectorMatching.Include)
			}
		}
		return nil
	})
	read.Labels = make([]string, 0, len(names))
	for name := range names {
		read.Labels = append(read.Labels, name)
	}
	sort.Strings(read.Labels)
	return read
}

func selectorOf(node *parser.VectorSelector) selector {
	found := selector{Metric: node.Name, Matchers: []matcher{}}
	for _, m := range node.LabelMatchers {
		if m.Name == labels.MetricName {
			found.Metric = m.Value
			continue
		}
		found.Matchers = append(found.Matchers, matcher{m.Name, m.Type.String(), m.Value})
	}
	return found
}

func note(names map[string]bool, more []string) {
	for _, name := range more {
		names[name] = true
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "promql:", err)
		os.Exit(2)
	}
}
