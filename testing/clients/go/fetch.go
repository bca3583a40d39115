package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

const patience = 15 * time.Second

// fetch asks for everything once, and checks the X.509-SVID against the bundle that came with it.
func fetch(audience string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := workloadapi.New(ctx)
	if err != nil {
		return err
	}
	defer client.Close()

	x509, err := client.FetchX509Context(ctx)
	if err != nil {
		return fmt.Errorf("X.509: %w", err)
	}
	svid := x509.DefaultSVID()
	if _, _, err := x509svid.Verify(svid.Certificates, x509.Bundles); err != nil {
		return fmt.Errorf("the X.509-SVID does not verify with its bundle: %w", err)
	}
	bundle, err := x509.Bundles.GetX509BundleForTrustDomain(svid.ID.TrustDomain())
	if err != nil {
		return err
	}

	jwt, err := client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
	if err != nil {
		return fmt.Errorf("JWT: %w", err)
	}
	keys, err := client.FetchJWTBundles(ctx)
	if err != nil {
		return fmt.Errorf("JWT bundles: %w", err)
	}
	ours, err := keys.GetJWTBundleForTrustDomain(jwt.ID.TrustDomain())
	if err != nil {
		return err
	}

	leaf := svid.Certificates[0]
	return show(object{
		"x509": object{
			"id":          svid.ID.String(),
			"not_after":   leaf.NotAfter.Unix(),
			"serial":      leaf.SerialNumber.String(),
			"chain":       len(svid.Certificates),
			"authorities": len(bundle.X509Authorities()),
		},
		"jwt": object{
			"id":          jwt.ID.String(),
			"audience":    jwt.Audience,
			"expires":     jwt.Expiry.Unix(),
			"authorities": len(ours.JWTAuthorities()),
			"token":       jwt.Marshal(),
		},
		"bundles": x509.Bundles.Len(),
	})
}

// validate lets the agent judge the token, then judges it with the bundle; both must agree.
func validate(token, audience string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := workloadapi.New(ctx)
	if err != nil {
		return err
	}
	defer client.Close()

	byAgent, err := client.ValidateJWTSVID(ctx, token, audience)
	if err != nil {
		return fmt.Errorf("the agent: %w", err)
	}
	keys, err := client.FetchJWTBundles(ctx)
	if err != nil {
		return err
	}
	byBundle, err := jwtsvid.ParseAndValidate(token, keys, []string{audience})
	if err != nil {
		return fmt.Errorf("the bundle: %w", err)
	}
	if byAgent.ID != byBundle.ID {
		return fmt.Errorf("the agent says %s, the token %s", byAgent.ID, byBundle.ID)
	}
	return show(object{"id": byAgent.ID.String(), "audience": byAgent.Audience})
}
