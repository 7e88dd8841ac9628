using MediatR;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Rev.Application.Accounts;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Web.Accounts;

namespace Rev.Web.Common;

/// <summary>A page of somebody who is signed in: below <c>/live</c> or <c>/test</c>, which is the mode that it shows.</summary>
public abstract class AppPage : ComponentBase
{
    /// <summary>The request.</summary>
    [CascadingParameter]
    public HttpContext Http { get; set; } = null!;

    /// <summary>The way to the application.</summary>
    [Inject]
    protected IMediator Mediator { get; set; } = null!;

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    /// <summary>Who looks.</summary>
    protected Visitor Visitor => Http.Visitor() ?? throw new InvalidOperationException("The page does not ask for a session.");

    /// <summary>What is looked at.</summary>
    protected Mode Mode => AppPath.ModeOf(Http.Request.Path) ?? Mode.Live;

    /// <summary>Where the pages of the mode lie: <c>/live</c> or <c>/test</c>.</summary>
    protected string Root => AppPath.Root(Mode);

    /// <summary>Who asks.</summary>
    protected Caller Caller => Visitor.In(Mode);

    /// <summary>Whose data is seen.</summary>
    protected Tenant Tenant => Caller.Tenant;

    /// <summary>Why the last question or deed was refused.</summary>
    protected Error? Problem { get; set; }

    /// <summary>The same, for the components that show it.</summary>
    internal Error? Refusal => Problem;

    /// <summary>What was done just before, as its address says.</summary>
    protected string? WasDone => Query("done");

    /// <summary>A field of the address; null when it is absent or empty.</summary>
    protected string? Query(string name) => Http.Request.Query.LineOrNull(name);

    /// <summary>Whether the visitor may do something.</summary>
    protected bool May(Scopes scope) => Visitor.May(scope);

    /// <summary>Sends a request. A refusal becomes <see cref="Problem"/> and the status of the page, and the answer is null.</summary>
    protected async Task<T?> Ask<T>(IRequest<Result<T>> request) where T : class
    {
        var result = await Mediator.Send(request, Http.RequestAborted);
        if (result.IsSuccess) return result.Value;
        Refuse(result.Error);
        return null;
    }

    /// <summary>Sends a request of which only matters that it was done.</summary>
    protected async Task<bool> Do<T>(IRequest<Result<T>> request)
    {
        var result = await Mediator.Send(request, Http.RequestAborted);
        if (!result.IsSuccess) Refuse(result.Error);
        return result.IsSuccess;
    }

    /// <summary>Shows a refusal on the page, with its status.</summary>
    protected void Refuse(Error error)
    {
        Problem = error;
        AppPath.Status(Http, AppPath.StatusOf(error));
    }

    /// <summary>Leads on after a deed, so that a reload does not do it again; <paramref name="done"/> is what <see cref="WasDone"/> says there.</summary>
    protected void Leave(string path, string? done = null) =>
        Navigation.NavigateTo(done is null ? path : path + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "done=" + Uri.EscapeDataString(done));

    /// <summary>
    /// A form of a <see cref="Deed"/> was sent: overridden by pages that have some. It runs after the page has loaded; a page that
    /// does not leave must load again.
    /// </summary>
    /// <param name="what">Its <see cref="Deed.Do"/>.</param>
    /// <param name="form">Its fields.</param>
    protected virtual Task Act(string what, IFormCollection form) => Task.CompletedTask;

    /// <summary>Takes the form of a deed, if the visitor may do it.</summary>
    internal async Task Dispatch()
    {
        var form = Http.Request.Form;
        await Act(form["do"].ToString(), form);
        // The form's receiver is the component that has it: the page would not be drawn again by itself.
        StateHasChanged();
    }
}
